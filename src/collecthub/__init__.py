"""collecthub: an open, plugin-based integration hub for debt collection."""

__version__ = "0.1.0"
