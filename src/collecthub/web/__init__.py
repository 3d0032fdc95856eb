"""HTTP doors: API, partner exchange, webhooks and portal. No logic of their own."""
