"""The three belts of the corridor, in order. `collecthub map` prints them and a test walks them."""

from __future__ import annotations

OUT = ("pull", "normalise", "open_case", "route", "dispatch")
BACK = ("receive", "record", "report")
CLOCK = ("due", "decide", "act")
