"""What every test of the core and of the plugins may ask for; each part says its own rules."""

from __future__ import annotations

pytest_plugins = (
    "pytester",
    "frame.left_out",
    "frame.loopback",
    "frame.databases",
    "frame.commands",
    "frame.compiled_once",
    "frame.shared_data",
    "frame.browser",
    "frame.accessible",
    "frame.rooms",
    "frame.passwords",
    "frame.garbage",
    "frame.longest_first",
    "frame.one_loop",
)
