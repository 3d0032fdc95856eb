"""Bank transactions imported and matched per CPU second, beside the bare parser. `python -m bench.bank_files HOME DATABASE COUNT`.

The bare parser is lxml's own pull parser over the same file, looking at amount and date and keeping nothing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from bench.findings import Finding
from bench.places import BenchError, NewDatabase, run
from bench.usage import measured, peak_mb

CREDITOR, IBAN = "bench", "BE68539007547034"
PAYMENTS_PER_HIT, CASES_MOST = 50, 2000  # every fiftieth payment is a debtor's; so many cases share these
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def rows(
    folder: Path, databases: Mapping[str, NewDatabase], count: int, memory: tuple[int, ...] = ()
) -> Iterator[Finding]:
    """Speed on every database; then the peak memory at growing sizes."""
    for name, new_database in databases.items():
        told = run("bank_files", folder / f"bank-home-{name}", new_database(), count, seconds=3000)
        _check(told, count)
        ours, bare = count / told["both"]["cpu"], count / told["bare"]["cpu"]  # the clock's time is also the others'
        yield Finding(
            name=f"import and match {count:,} bank transactions", database=name,
            ours=f"{ours:,.0f} transactions a CPU second", beside=f"bare parser {bare:,.0f}", ratio=round(ours / bare, 2),
        )  # fmt: skip
    for size in memory:
        name, new_database = next(iter(databases.items()))
        told = run("bank_files", folder / f"bank-memory-{size}", new_database(), size, seconds=7000)
        _check(told, size)
        yield Finding(name=f"peak memory of {size:,} bank transactions", database=name, ours=f"{told['peak_mb']:.0f} MB")


def _check(told: Mapping[str, Any], count: int) -> None:
    booked = count // PAYMENTS_PER_HIT
    if (told["fresh"], told["booked"]) != (count, booked):
        raise BenchError(f"{told['fresh']} of {count} were taken over and {told['booked']} of {booked} booked")


def write_file(path: Path, references: list[str], count: int) -> None:
    """A statement of `count` payments; every fiftieth carries the reference of a case, one case after the other."""
    with path.open("w", encoding="utf-8") as file:
        file.write(
            f'<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId><CreDtTm>2026-06-11T06:00:00</CreDtTm></GrpHdr>'
            f"<Stmt><Id>S</Id><CreDtTm>2026-06-11T06:00:00</CreDtTm><Acct><Id><IBAN>{IBAN}</IBAN></Id></Acct>"
        )
        for number in range(count):
            known = number % PAYMENTS_PER_HIT == 0
            said = references[number // PAYMENTS_PER_HIT % len(references)] if known else f"rent {number} thank you"
            amount = Decimal(100) if known else Decimal(number % 90_000 + 101).scaleb(-2)
            file.write(
                f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-10</Dt>'
                f"</BookgDt><AcctSvcrRef>B{number}</AcctSvcrRef><BkTxCd/><NtryDtls><TxDtls><Refs><EndToEndId>E{number}</EndToEndId></Refs>"
                f"<RltdPties><Dbtr><Pty><Nm>Payer {number}</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>{said}</Ustrd></RmtInf>"
                "</TxDtls></NtryDtls></Ntry>"
            )
        file.write("</Stmt></BkToCstmrStmt></Document>")


def parse_bare(path: Path) -> int:
    """What a loop without any of ours does."""
    seen, total = 0, Decimal(0)
    for _, entry in etree.iterparse(path, tag=f"{{{_NAMESPACE}}}Ntry"):
        total += Decimal(entry.findtext(f"{{{_NAMESPACE}}}Amt") or 0)
        entry.findtext(f".//{{{_NAMESPACE}}}Dt")
        seen += 1
        entry.clear()
        while entry.getprevious() is not None:
            del entry.getparent()[0]
    return seen


def main(home: str, database: str, count: int) -> None:
    """Open the cases (not measured), import and match, and say what it took."""
    from collecthub.config import load_settings
    from collecthub.engine.doors import create_creditor
    from collecthub.engine.intake import Draft, DraftClaim, open_draft, ready_intake
    from collecthub.engine.matching import match_payments
    from collecthub.engine.payments_in import Owner, import_bank_file
    from collecthub.hub import open_hub
    from collecthub.model.party import Party
    from collecthub.model.payment_reference import rf_reference
    from collecthub.store.queries.scope import LOCAL_OPERATOR
    from collecthub.testing.inline import InlineQueue

    hub = open_hub(load_settings({}, home=Path(home), database_url=database))
    hub.queue = InlineQueue()
    create_creditor(hub, Party(name="Bench", country="BE"), creditor_id=CREDITOR)
    ready_intake(hub, LOCAL_OPERATOR, CREDITOR)
    due_on = hub.business_date().replace(day=1, month=1)
    references: list[str] = []
    hits = -(-count // PAYMENTS_PER_HIT)
    cases = min(hits, CASES_MOST)
    owed = Decimal(100) * (hits // cases + 4)
    for start in range(0, cases, 100):
        with hub.work() as work:
            for number in range(start, min(start + 100, cases)):
                claim = DraftClaim(number=f"F{number}", due_on=due_on, amount=owed, open_amount=owed)
                draft = Draft(debtor=Party(name=f"Debtor {number}", country="DE"), currency="EUR", claims=(claim,))
                found = open_draft(hub, work, LOCAL_OPERATOR, CREDITOR, draft, origin="api", key=str(number))
                references.append(rf_reference(found.number))
    path = Path(home) / "statement.xml"
    write_file(path, references, count)
    told: dict[str, Any] = {"bare": measured(lambda: parse_bare(path))}

    def both() -> None:
        with path.open("rb") as stream:
            told["fresh"] = import_bank_file(hub, LOCAL_OPERATOR, stream, "bench", Owner(creditor_id=CREDITOR)).fresh
        told["booked"] = match_payments(hub, LOCAL_OPERATOR).booked

    told["both"] = measured(both)
    print(json.dumps({**told, "peak_mb": peak_mb()}))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
