"""`collecthub status`: what partners' codes mean here, what is lost on the way, what a person must decide.

Needs no database: bundled tables first, then those of installed plugins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.output import Json, print_json, print_listed, print_record, print_table, say
from collecthub.errors import PermanentError

if TYPE_CHECKING:
    from collecthub.model.crosswalk import TableReport
    from collecthub.model.status_tables import StatusTable

app = typer.Typer(no_args_is_help=True, help="Status codes of partners and what they mean here.")
From = Annotated[str, typer.Option("--from", help="Vocabulary that the code is from, such as riverty.")]


@app.command("translate")
def translate(
    code: Annotated[str, typer.Argument(help="The partner's code, or with --to a word of the hub.")],
    vocabulary: From = "",
    into: Annotated[str, typer.Option("--to", help="Say a word of the hub in this partner's codes instead.")] = "",
    as_json: Json = False,
) -> None:
    """Say what a partner's status code means here, what is lost and what stays open.

    Exit code 1 if a person must decide: the code is ambiguous, has no word here, or is in no table.
    """
    if bool(vocabulary) == bool(into):
        raise typer.BadParameter("give either --from or --to with the name of a vocabulary")
    if into:
        _into(into, code, as_json=as_json)
        return
    from collecthub.model.crosswalk import CERTAIN, meaning_of, table_named, translation

    tables = _tables(vocabulary)
    if as_json:
        found = translation(table_named(tables, vocabulary), code)
        print_json(found)
        raise typer.Exit(0 if found.verdict in CERTAIN else FINDINGS)
    print_record(meaning_of(tables, vocabulary, code), as_json=False)


def _into(vocabulary: str, word: str, *, as_json: bool) -> None:
    from collecthub.model.crosswalk import codes_for, table_named

    found = codes_for(table_named(_tables(vocabulary), vocabulary), word)
    if not found:
        raise PermanentError(
            f"{vocabulary} has no code for {word!r}.", cure="Tell the partner in words, in a note beside the case."
        )
    print_listed(found, None, "code title lost", as_json=as_json)


@app.command("report")
def show_report(
    vocabulary: From,
    as_json: Json = False,
) -> None:
    """Report over a whole table: how well each code translates, and which words of the hub it cannot say."""
    from collecthub.model.crosswalk import report, table_named

    found = report(table_named(_tables(vocabulary), vocabulary))
    if as_json:
        print_json(found)
    else:
        _show_report(found)


def _show_report(found: TableReport) -> None:
    say(f"{found.title}. Source: {found.source}, read on {found.as_of}.")
    say(", ".join(f"{count} {verdict}" for verdict, count in found.counts.items() if count))
    print_table(
        ["code", "verdict", "meaning", "outcome", "lost or open"],
        [
            [one.code, one.verdict, one.meaning or one.candidates, one.outcome, one.lost or one.reason]
            for one in found.codes
        ],
    )
    if found.not_sayable:
        say(f"No code says: {', '.join(found.not_sayable)}.")


@app.command("tables")
def list_tables(as_json: Json = False) -> None:
    """List the bundled tables with how well their codes translate."""
    from collecthub.model.crosswalk import report
    from collecthub.model.status_tables import status_tables

    rows = [
        {"vocabulary": one.vocabulary, **one.counts, "as_of": one.as_of, "title": one.title}
        for one in map(report, status_tables().values())
    ]
    print_listed(rows, None, "vocabulary exact lossy ambiguous unmapped as_of title", as_json=as_json)


@app.command("heard")
def show_heard(
    partner: Annotated[str, typer.Option(help="Id of one partner; all by default.")] = "",
    as_json: Json = False,
) -> None:
    """Report what partners' codes lost or left open in the cases so far, the most frequent first.

    Exit code 1 if codes wait for a person.
    """
    from collecthub.cli.hub_access import client
    from collecthub.engine.heard import heard
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        told = heard(hub, conn, LOCAL_OPERATOR, partner)
    if as_json:
        print_json(told)
    else:
        print_listed(told.items, None, "partner_id code count verdict meaning outcome lost last_at", as_json=False)
        print_table(
            ["partner", "waits for a person", "count"], [[one.partner_id, one.reason, one.count] for one in told.parked]
        )
    raise typer.Exit(FINDINGS if told.parked else 0)


def _tables(vocabulary: str) -> Mapping[str, StatusTable]:
    """The bundled tables, with those of installed plugins if the vocabulary is not among them."""
    from collecthub.model.crosswalk import with_rows
    from collecthub.model.status_tables import status_tables

    tables = status_tables()
    if vocabulary in tables:
        return tables
    from collecthub.config import load_settings
    from collecthub.hub import load_all_plugins

    return with_rows(tables, load_all_plugins(load_settings()).codes, dt.datetime.now(dt.UTC).date())
