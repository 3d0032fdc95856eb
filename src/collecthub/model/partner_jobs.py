"""The job that follows when partners, their papers or their lines change, by its name and target."""

from __future__ import annotations

TRY_AGAIN = "try_again"  # cases that nobody could take; its target is a country of debtors
EVERYWHERE = "*"
