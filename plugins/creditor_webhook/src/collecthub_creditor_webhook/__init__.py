"""collecthub plugin creditor_webhook: hook implementations."""
