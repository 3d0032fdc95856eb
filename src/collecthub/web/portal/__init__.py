"""The portal: server-rendered pages for operators, creditors and partners."""
