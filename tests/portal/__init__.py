"""The portal in a real browser, on a small town of creditors, debtors and partners."""
