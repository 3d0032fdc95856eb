"""Dated rules as data and pure functions: interest, compensation, limitation, time limits, lawful steps."""
