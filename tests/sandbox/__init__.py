"""Twins are strict, durable and faithful to what they stand for."""
