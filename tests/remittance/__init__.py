"""Money out: contracts and fees, remittances, receipts, client money."""
