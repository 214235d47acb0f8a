"""The version of the package: in its metadata, and in the User-Agent that it sends."""

__version__ = "0.1.0"
