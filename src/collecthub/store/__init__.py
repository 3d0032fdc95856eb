"""Tables, migrations, repositories and the evidence store."""
