"""Safe transports. The only package that imports the heavy clients."""
