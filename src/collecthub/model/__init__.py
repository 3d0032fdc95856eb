"""The nouns of debt collection as immutable records and pure functions."""
