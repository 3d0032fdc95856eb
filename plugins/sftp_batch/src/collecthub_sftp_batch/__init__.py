"""collecthub plugin sftp_batch: hook implementations."""
