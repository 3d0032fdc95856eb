"""What Belgian law asks beyond data: the sequence of Book XIX, the uncontested route, insolvency."""
