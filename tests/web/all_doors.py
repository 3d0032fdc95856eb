"""The app without a hub, and so its description, made once for the tests that only read it."""

from __future__ import annotations

from functools import cache

from fastapi import FastAPI

from collecthub.web.app import bare_app


@cache
def all_doors() -> FastAPI:
    """Every door; its description is read, never changed."""
    return bare_app()
