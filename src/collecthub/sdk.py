"""What a plugin imports: this module and `collecthub.wire`, nothing else of the core.

The names below are stable within a major version.
"""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("collecthub")

__all__ = [name for name in dir() if not name.startswith("_") and name not in {"annotations", "pluggy"}]
