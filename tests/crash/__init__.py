"""The hub is killed at any moment and must come to the same end."""
