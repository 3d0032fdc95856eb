"""`collecthub score`: how good the scorers are, measured on a file of past invoices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.score.evaluate import Evaluation

app = typer.Typer(no_args_is_help=True, help="Scores: measure the scorers on what happened.")
LISTED_MAX = 5


@app.command("evaluate")
def evaluate_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="Past invoices, CSV or XLSX.")],
    as_json: Json = False,
) -> None:
    """Learn on the older 70 % of past invoices, ask on the newer 30 %, and print how good the answers were.

    Needs no database. Exit code 1 if the file has no outcomes to measure against.
    """
    from collecthub.errors import QuarantineError
    from collecthub.score.evaluate import evaluate
    from collecthub.score.receivables import layout_of, past_invoices
    from collecthub.wire.tabular import read_rows

    try:
        rows = [(row.line, row.cells) for row in read_rows(file.read_bytes(), file.name)]
        layout = layout_of(rows[0][1] if rows else ())
        invoices, refused = past_invoices(layout, rows)
        evaluation = evaluate(layout, invoices, refused)
    except QuarantineError as error:
        if as_json:
            print_json({"code": error.code, "message": error.message, "cure": error.cure})
        else:
            say(f"Nothing can be measured: {plain(error.message)}.")
            note(error.cure)
        raise typer.Exit(FINDINGS) from error
    if as_json:
        print_json(evaluation)
    else:
        _show(evaluation)


def _show(found: Evaluation) -> None:
    say(f"{found.layout}: {found.invoices} invoices of {found.customers} customers, {found.late_share:.1%} late")
    say(
        f"learnt on {found.trained_on} invoices whose outcome was known on {found.cut_on}, "
        f"asked on {found.asked} from that day on; {found.not_known_at_cut} between them count for neither"
    )
    print_table(
        ["scorer", "asked", "AUC", "Brier", "calibration error"],
        [
            [one.scorer, one.asked, f"{one.auc:.3f}", f"{one.brier:.3f}", f"{one.calibration_error:.3f}"]
            for one in found.results
        ],
    )
    for one in found.results[:2]:
        say(f"Calibration of {one.scorer}: chance of late payment that was said, and what came")
        print_table(
            ["invoices", "said", "came"],
            [[part.count, f"{part.predicted:.3f}", f"{part.observed:.3f}"] for part in one.calibration],
        )
    say("Weights of the fitted model, per standard deviation")
    print_table(["input", "weight"], [[one.name, f"{one.weight:+.3f}"] for one in found.weights])
    say("Left out")
    print_table(["column", "why"], [[name, why] for name, why in found.left_out.items()])
    for line in found.refused[:LISTED_MAX]:
        note(f"Not read: {plain(line)}")
    if len(found.refused) > LISTED_MAX:
        note(f"and {len(found.refused) - LISTED_MAX} rows more.")
    for line in found.notes:
        note(line)
