"""Feasibility: what would make a partner or a court reject a case, found before it costs anything."""
