"""`collecthub playbook`: what was agreed with a creditor, as a file, and what it would have done in the past."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.law_options import Segment, law_of
from collecthub.cli.output import Json, print_json, print_table, say
from collecthub.errors import PermanentError

if TYPE_CHECKING:
    from collecthub.engine.playbooks import PlaybookTerms
    from collecthub.law.contact_trial import StepSum, Taken, Trial
    from collecthub.model.contact import ContactPolicy

app = typer.Typer(no_args_is_help=True, help="Playbooks: the steps before a hand-over, agreed with a creditor.")
PlaybookFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="Contact steps, TOML.")]


def read_file(file: Path) -> PlaybookTerms:
    """What a file agrees to. Raises `PermanentError` naming what is wrong and where."""
    from collecthub.engine.playbooks import read_terms

    try:
        return read_terms(file.read_text(encoding="utf-8"), file.name)
    except UnicodeDecodeError as error:
        raise PermanentError(f"{file.name} is no text in UTF-8", cure="Save it as UTF-8.") from error


@app.command("check")
def check(file: PlaybookFile, as_json: Json = False) -> None:
    """Read a playbook file and say what it would agree to. Needs no database."""
    found = read_file(file)
    if as_json:
        print_json(found)
    else:
        _show_terms(found)


@app.command("show")
def show(
    creditor: Annotated[str, typer.Argument(help="Id of the creditor.")],
    as_json: Json = False,
) -> None:
    """What is agreed with a creditor."""
    from collecthub.engine.playbooks import terms_of
    from collecthub.store.connections import read_creditor

    with client() as hub, hub.database.read() as conn:
        row = read_creditor(conn, creditor)
    if row is None:
        raise PermanentError(f"there is no creditor {creditor}", cure="See `collecthub creditor list`.")
    if as_json:
        print_json({"creditor_id": creditor, **msgspec.structs.asdict(terms_of(row.playbook))})
        return
    if not row.playbook.contact:
        say(f"Nothing is agreed with {row.name}: cases are handed over without reminders of the hub.")
    else:
        _show_terms(terms_of(row.playbook))


@app.command("set")
def set_playbook(
    creditor: Annotated[str, typer.Argument(help="Id of the creditor.")], file: PlaybookFile,
    agreed_with: Annotated[str, typer.Option(help="Who at the creditor agreed.")],
    agreed_on: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="When; today when left out.")
    ] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Enter what a creditor without a login agreed to; cases that are open keep the steps they began with."""
    from collecthub.engine.playbooks import Agreement, agree_playbook
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    found = read_file(file)
    with client() as hub:
        agreed = Agreement(who=agreed_with, on=agreed_on or hub.business_date())
        number = agree_playbook(
            hub, LOCAL_OPERATOR, creditor, found, agreed=agreed, content=file.read_text(encoding="utf-8")
        )
    if as_json:
        print_json({"creditor_id": creditor, "version": number, **msgspec.structs.asdict(found)})
    else:
        say(f"Agreed as version {number}: {', '.join(policy.name for policy in found.contact)}. New cases follow it where the hub sends reminders.")


@app.command("propose")
def propose(
    creditor: Annotated[str, typer.Argument(help="Id of the creditor.")], file: PlaybookFile,
    text: Annotated[str, typer.Option("--note", help="Why it changes.")] = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Put the steps of a file before the creditor; they hold once he agrees, on his page or by API."""
    from collecthub.engine.playbook_proposals import propose_version
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    read_file(file)
    with client() as hub, hub.work() as work:
        made = propose_version(work, LOCAL_OPERATOR, creditor, file.read_text(encoding="utf-8"), note=text)
    if as_json:
        print_json(made)
    else:
        say(f"Proposal {made.number} stands on the creditor's agenda; it holds once he agrees.")


@app.command("history")
def history(
    creditor: Annotated[str, typer.Argument(help="Id of the creditor.")],
    version: Annotated[int, typer.Option(min=0, help="Show the text of this version.")] = 0,
    as_json: Json = False,
) -> None:
    """Every version of what was agreed with a creditor, the newest first."""
    from collecthub.engine.playbooks import playbook_history
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        _, found = playbook_history(conn, LOCAL_OPERATOR, creditor)
    chosen = [one for one in found if not version or one.number == version]
    if as_json:
        print_json({"items": chosen})
    elif version:
        say(chosen[0].content if chosen else f"There is no version {version}.")
    else:
        print_table(["version", "agreed", "by", "with", "note"], [[o.number, o.agreed_at, o.agreed_by, o.agreed_with, o.note] for o in found])


def _show_terms(terms: PlaybookTerms) -> None:
    for policy in terms.contact:
        _show(policy)
    plans, approval = terms.plans, terms.approval
    say(
        f"Plans hold at once up to {plans.months_max} months, from {plans.minimum_instalment} each, beginning within "
        f"{plans.first_within_days} days."
    )
    given = f"allowed beforehand up to {approval.given_up_to}" if approval.given_up_to else "asked each time"
    cap = f"; {approval.case_cap} for a case together, more needs a reason" if approval.case_cap else ""
    say(f"What courts and enforcement cost is {given}{cap}.")


def _show(policy: ContactPolicy) -> None:
    whom = ", ".join(policy.segments) or "everybody"
    say(f"{policy.name} (for {whom}, from {policy.minimum_amount})")
    rows = [[step.after_days, step.days.value, step.name, step.channel.value, step.tone.value] for step in (*policy.before, *policy.steps)]
    rows.append([policy.handover_after_days, "calendar", "hand-over", "", ""])
    print_table(["day", "counted in", "step", "by", "tone"], rows)


# --- the past -------------------------------------------------------------------------------------


@app.command("dry-run")
def dry_run(
    invoices: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="Past invoices, CSV or XLSX.")],
    playbook: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The playbook that is tried.")],
    against: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Another one beside it.")] = None,
    country: Annotated[str, typer.Option(help="Where the debtors live, for holidays and law.")] = "BE",
    segment: Annotated[Segment, typer.Option(help="What the debtors are.")] = "B2B",
    until: Annotated[str, typer.Option(help="Last day, as 2013-12-31; the last day of the file by default.")] = "",
    letters: Annotated[bool, typer.Option("--letters", help="Every single step too.")] = False,
    as_json: Json = False,
) -> None:
    """What a playbook would have done: which letters when, who is handed over, at what cost. Needs no database."""
    from collecthub.engine.playbooks import past_items
    from collecthub.law.contact_trial import try_playbook

    past = past_items(invoices.read_bytes(), invoices.name)
    end = dt.date.fromisoformat(until) if until else past.until
    for refused in past.refused:
        say(f"Left out: {refused}")
    law = law_of(country)
    tried: list[tuple[Trial, list[Taken]]] = []
    for file in filter(None, (playbook, against)):
        one = try_playbook(read_file(file).contact, past.items, end, country=country, segment=segment, law=law)
        if one is None:
            raise PermanentError(f"{file.name} says nothing about {segment} in {country}", cure="Choose other debtors.")
        tried.append(one)
    if as_json:
        print_json([{"trial": trial, "letters": taken if letters else []} for trial, taken in tried])
        return
    _compare([trial for trial, _ in tried])
    for _, taken in tried if letters else ():
        print_table(["day", "debtor", "step", "asks", "refused by"], [[o.on, o.debtor, o.step, o.asked, o.refused] for o in taken])


def _compare(trials: list[Trial]) -> None:
    """The sums of one playbook, or of two side by side, step by step; the hand-over last."""
    from collecthub.law.contact_trial import HANDOVER

    marks = ["A ", "B "][: len(trials)] if len(trials) > 1 else [""]
    for mark, trial in zip(marks, trials, strict=True):
        say(
            f"{mark}{trial.policy}: {trial.invoices} invoices of {trial.debtors} debtors until {trial.until}; "
            f"{trial.paid_before_any_step} late ones were paid before anybody was written to"
        )
    sums = [{one.step: one for one in trial.steps} for trial in trials]
    steps = sorted(dict.fromkeys(step for one in sums for step in one), key=HANDOVER.__eq__)
    names = [f"{mark}{what}" for mark in marks for what in ("times", "asked together", "cost", "refused by law")]
    rows: list[list[object]] = [[step, *(cell for one in sums for cell in _cells(one.get(step)))] for step in steps]
    rows.append(["together", *(cell for trial in trials for cell in ("", "", f"{trial.cost:,}", ""))])
    print_table(["step", *names], rows)


def _cells(one: StepSum | None) -> tuple[object, ...]:
    return (one.times, f"{one.asked:,}", f"{one.cost:,}", one.refused) if one is not None else ("", "", "", "")
