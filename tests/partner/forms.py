"""Forms as somebody without scripts fills them in: found by their button, fields by their labels."""

from __future__ import annotations

from lxml import html


def filled(page: str, button: str, fields: dict[str, str | bool]) -> tuple[str, dict[str, str]]:
    """Action and values of the first form with this button, with these fields filled in and the others as they were."""
    document = html.document_fromstring(page)
    form = next(one for one in document.forms if any(_text(found) == button for found in one.iter("button")))
    for name, value in fields.items():
        label = next(one for one in form.iter("label") if _text(one).startswith(name))
        control = label.for_element if label.get("for") else next(label.iter("input", "select", "textarea"))
        if isinstance(value, bool):
            control.checked = value
        else:
            control.value = value
    return str(form.get("action")), {key: str(value) for key, value in form.form_values()}


def _text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())
