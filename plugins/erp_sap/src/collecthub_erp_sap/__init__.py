"""collecthub plugin erp_sap: hook implementations."""
