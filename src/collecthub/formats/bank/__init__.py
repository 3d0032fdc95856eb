"""Bank files: what an account servicer reports to its customer, in the formats banks use, as one kind of record."""
