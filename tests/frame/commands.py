"""Commands in this process. Typer's test runner builds the tree of all commands for every call, which takes longer than
most of the calls; here it is built once, as in a process of its own."""

from __future__ import annotations

from functools import cache

from typer import testing

testing._get_command = cache(testing._get_command)  # type: ignore[attr-defined]  # its name in the pinned version
