"""The vendor's page between a client and its consent: a login, and the question whether the app may read the books."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

USER, PASSWORD = "sandbox@example.org", "sandbox-password"
AGREE, ASK = "agree", "ask"  # agree: the user is logged in and has agreed before; ask: he sees the page

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>Log in - Exact Online (sandbox)</title></head>
<body><h1>Exact Online (sandbox)</h1>{wrong}<p>The app {app} asks to read and change your administration.</p>
<form method="post">
<p><label>User name <input name="username" autocomplete="username" value="{user}"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button name="answer" value="agree">Log in and agree</button> <button name="answer" value="deny">Refuse</button></p>
</form></body></html>"""


def login_page(client_id: str, *, user: str = "", is_wrong: bool = False) -> Response:
    """The login with the question; a wrong password is answered by the same page."""
    wrong = '<p role="alert">The user name or the password is incorrect.</p>' if is_wrong else ""
    return HTMLResponse(_PAGE.format(app=escape(client_id), user=escape(user), wrong=wrong))


def fits(user: str, password: str) -> bool:
    """Whether this is the sandbox user."""
    return (user, password) == (USER, PASSWORD)


def denied(redirect_uri: str, state: str | None) -> Response:
    """Back to the client without a consent, as RFC 6749 section 4.1.2.1 words it."""
    answer = {"error": "access_denied", "error_description": "The user denied the request."}
    return back(redirect_uri, answer, state)


def back(redirect_uri: str, answer: dict[str, str], state: str | None) -> Response:
    """Send the browser back to the client with an answer and the client's own state."""
    query = urlencode(answer | ({} if state is None else {"state": state}))
    return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}", 302)
