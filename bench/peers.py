"""Programs of others that are measured beside ours; each lives in an environment of its own, made on first use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.places import STATE, BenchError

DLT = "dlt[sqlalchemy]==1.31.0"


def dlt_python() -> Path:
    """A Python that has dlt. Raises `BenchError` with the reason when it cannot be installed."""
    folder = STATE / "dlt"
    python, stamp = folder / "bin" / "python", folder / "ready"
    if stamp.exists():
        return python
    print("setting up dlt in bench/.state (once)", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True, timeout=60)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", DLT]
        subprocess.run(install, check=True, capture_output=True, timeout=180)
    except (subprocess.SubprocessError, OSError) as error:
        raise BenchError(f"{DLT} cannot be installed ({type(error).__name__})") from error
    stamp.touch()
    return python
