"""Measurements of collecthub beside a bare loop and its peers; `python -m bench` prints one table."""
