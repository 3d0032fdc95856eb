"""What a payment settles: the order that the law names, and the account of a case that follows from it."""
