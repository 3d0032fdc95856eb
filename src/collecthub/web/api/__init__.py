"""`/api/v1`: validates, calls the desk, the intake or the queries, and answers. No logic of its own."""
