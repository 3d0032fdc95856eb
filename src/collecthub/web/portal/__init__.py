"""The portal: server-rendered pages for operators, creditors and partners. It asks, calls the desk and shows."""
