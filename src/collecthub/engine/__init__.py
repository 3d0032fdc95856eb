"""The runner on the durable-execution engine."""
