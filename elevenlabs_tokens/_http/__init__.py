"""The engine room: from a request, over the wire, to a model or an error."""
