"""Partners without an API: their own page behind a personal link and a code, in their language."""
