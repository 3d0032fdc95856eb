"""Memory of a process that works for long: few places for what was freed, and fewer walks through what stays."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from functools import cache

_M_ARENA_MAX, _ARENAS = -8, 2  # of glibc's mallopt; elsewhere there is no such function and nothing to do


def share_arenas() -> None:
    """For a process with many workers, before its threads begin.

    glibc gives every thread an arena of its own, which keeps what the thread has freed: with the 9,681 real invoices of
    the demo that was 433 MB instead of 353. Python's own lock is held in between, so threads seldom wait for an arena.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Hand what was freed back to the system, while others still work.

    Between blocks that stay, glibc keeps freed ones for good: of the demo's 9,681 real invoices 30 to 60 MB after each stage.
    Takes milliseconds. (https://man7.org/linux/man-pages/man3/malloc_trim.3.html)
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


_YOUNG = 20_000  # objects made since the last walk; Python's own 700 fits a script, not a hub with its pages and cases


def walk_seldom() -> None:
    """Let the collector of circles walk less often; best before the modules are imported, which makes most objects."""
    gc.set_threshold(_YOUNG, 20, 20)


@cache
def spare_what_is_there() -> None:
    """Once, for a process whose modules are all imported: half a million objects of code and tables never become garbage.

    Each full walk went through all of them; with the walks at every 700 objects that was two seconds of the demo's sixty.
    """
    gc.collect()
    gc.freeze()
