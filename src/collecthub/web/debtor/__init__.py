"""The debtor's page: a personal address and a code, plain words, every answer a fact of the case."""
