"""collecthub plugin partner_network: hook implementations."""
