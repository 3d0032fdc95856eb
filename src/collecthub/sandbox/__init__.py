"""Executable counterparties ("twins"): one process for every outside party, with durable books of its own."""
