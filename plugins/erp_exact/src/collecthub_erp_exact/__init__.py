"""collecthub plugin erp_exact: hook implementations."""
