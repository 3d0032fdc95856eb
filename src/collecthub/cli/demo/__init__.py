"""`collecthub demo`: the whole job on executable counterparties, with no shortcut of its own."""
