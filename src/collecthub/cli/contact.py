"""`collecthub contact`: what was and will be said to debtors, and what a person decides about it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, print_table, say
from collecthub.errors import PermanentError

app = typer.Typer(no_args_is_help=True, help="Contact with debtors: messages, calls and visits before a hand-over.")


@app.command("list")
def list_contacts(
    state: Annotated[str, typer.Option(help="Only this state: queued, in_doubt, with_person, sent, withdrawn, failed.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 100,
    as_json: Json = False,
) -> None:
    """Every step that was taken or is to be taken."""
    from collecthub.store.queries.contacts import read_contacts
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        rows = read_contacts(conn, LOCAL_OPERATOR, state=state, limit=limit)
    if as_json:
        print_json({"items": rows})
        return
    print_table(
        ["contact", "case", "step", "by", "state", "queued", "problem"],
        [[row.contact_id, row.number, row.step, row.channel, row.state, row.queued_at, row.problem] for row in rows],
    )


@app.command("notices")
def list_notices(
    state: Annotated[str, typer.Option(help="Only this state: queued, in_doubt, sent, withdrawn, failed, returned, answered.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 100,
    as_json: Json = False,
) -> None:
    """Friendly notices of invoices that are not due yet: `before` of the playbook."""
    from collecthub.store.queries.notices import read_notices
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        rows = read_notices(conn, LOCAL_OPERATOR, state=state, limit=limit)
    if as_json:
        print_json({"items": rows})
        return
    print_table(
        ["notice", "customer", "step", "by", "invoices", "state", "queued", "problem"],
        [[row.notice_id, row.debtor_ref, row.step, row.channel, row.invoices, row.state, row.queued_at, row.problem] for row in rows],
    )


@app.command("preview")
def preview(
    case: Annotated[str, typer.Argument(help="Id of the case.")],
    tone: Annotated[str, typer.Option(help="courtesy, friendly, firm or final.")] = "friendly",
    channel: Annotated[str, typer.Option(help="email, letter or sms.")] = "email",
    language: Annotated[str, typer.Option(help="nl, fr, de, en or one of your own; the debtor's by default.")] = "",
    pdf: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the letter on paper to this file.")] = None,
    as_json: Json = False,
) -> None:
    """The message this debtor would get today. Nothing is sent."""
    from collecthub.engine.contact_words import preview_letter, preview_message
    from collecthub.model.contact import Channel, Tone
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    if tone not in {one.value for one in Tone}:
        raise typer.BadParameter(f"{tone!r} is no tone; choose courtesy, friendly, firm or final")
    if channel not in ("email", "letter", "sms"):
        raise typer.BadParameter(f"{channel!r} carries no words; choose email, letter or sms")
    with client() as hub:
        said = preview_message(hub, LOCAL_OPERATOR, case, Tone(tone), channel=Channel(channel), language=language)
        if pdf is not None:
            pdf.write_bytes(preview_letter(hub, LOCAL_OPERATOR, case, Tone(tone), language=language))
    if as_json:
        print_json(said)
    else:
        say(f"{said.subject}\n\n{said.text}")


@app.command("settle")
def settle(
    contact: Annotated[str, typer.Argument(help="Id of the contact.")],
    reached: Annotated[bool | None, typer.Option("--reached/--not-reached", help="Whether the debtor was reached.")] = None,
    note: Annotated[str, typer.Option(help="How you know, or what was said.")] = "",
    as_json: Json = False,
) -> None:
    """Say what became of a message in doubt, of a call or of a visit."""
    from collecthub.engine.contacting import settle_contact
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    if reached is None:
        raise PermanentError("nothing is settled yet", cure="Say --reached or --not-reached.")
    with client() as hub:
        settle_contact(hub, contact, reached=reached, actor=LOCAL_OPERATOR.subject, note=note)
    if as_json:
        print_json({"contact_id": contact, "reached": reached})
    else:
        say("Noted.")


@app.command("outcome")
def outcome(
    contact: Annotated[str, typer.Argument(help="Id of the call or visit; see `collecthub contact list`.")],
    code: Annotated[str, typer.Argument(help="What it came to: promised, cannot_pay, no_answer, ...")],
    on: Annotated[str, typer.Option(help="The day that was promised, or of the call back, as 2026-07-01.")] = "",
    note: Annotated[str, typer.Option(help="What was said.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a call or a visit came to; the next step follows from it."""
    from collecthub.engine.contact_outcome import note_outcome
    from collecthub.model.contact_outcome import ContactOutcome
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    codes = [one.value for one in ContactOutcome]
    if code not in codes:
        raise typer.BadParameter(f"{code!r} is no outcome; choose {', '.join(codes)}")
    try:
        day = dt.date.fromisoformat(on) if on else None
    except ValueError as error:
        raise typer.BadParameter(f"{on!r} is no day; write it as 2026-07-01") from error
    with client() as hub:
        case = note_outcome(hub, LOCAL_OPERATOR, contact, ContactOutcome(code), on=day, note=note)
    if as_json:
        print_json({"contact_id": contact, "case_id": case.case_id, "outcome": code})
    else:
        say("Noted.")
