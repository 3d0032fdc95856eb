"""Dated legal rules as data and pure functions."""
