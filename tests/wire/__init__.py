"""Transports against peers of other makers, on loopback."""
