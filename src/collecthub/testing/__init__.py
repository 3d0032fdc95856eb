"""Conformance kit and fakes for plugin authors."""
