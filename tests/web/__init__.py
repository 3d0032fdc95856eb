"""The HTTP doors, driven over HTTP."""
