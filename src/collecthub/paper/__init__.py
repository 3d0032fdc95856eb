"""Papers that people read: sheets as HTML and PDF."""
