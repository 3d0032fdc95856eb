"""Files as browsers send them in a form."""

from __future__ import annotations

from starlette.datastructures import FormData, UploadFile

from collecthub.engine.page_guard import Paper, safe_name


def uploaded(form: FormData) -> Paper | None:
    """The chosen file of the field `file`; None when none was chosen. To be called outside the event loop."""
    given = form.get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        return None
    return Paper(safe_name(given.filename), given.file.read())
