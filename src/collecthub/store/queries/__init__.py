"""Read models: paged lists and detail views for the API, the portal and the command line."""
