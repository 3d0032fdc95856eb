"""collecthub plugin soap_exchange: hook implementations."""
