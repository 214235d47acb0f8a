"""The version of the package. The metadata and the header User-Agent show it."""

__version__ = "0.1.0"
