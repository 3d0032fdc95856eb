"""Bundled case formats: the canonical case exchange as XML and as JSON."""
