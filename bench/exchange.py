"""Case files of about 4 KB produced and validated, beside the same work in bare lxml; and a large batch read as a stream.

Producing is from records in memory to bytes, validating from these bytes to the verdict of the published XSD. Ours is the
product's writer with all its checks, its safe reader and its schema; bare lxml makes the same elements from texts that
somebody else has made ready, and reads them with an ordinary parser and the same schema. Both must make the same bytes.

    python -m bench.exchange ours|bare COUNT     prints {"wall", "cpu", "sha256"}
    python -m bench.exchange stream MEGABYTES    prints {"wall", "cpu", "peak_mb", "messages"}
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from bench.findings import Finding, median, spread
from bench.places import run
from bench.usage import measured, peak_mb
from collecthub.formats.published import XSD, schema_folder
from collecthub.formats.xml import XmlFormat
from collecthub.formats.xml_stream import StreamHead, stream_messages
from collecthub.model.exchange import (
    CaseFile,
    ClaimItem,
    DocumentItem,
    Exchange,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.wire.xml import Schema, parse

AT_LEAST = 0.6
FLAT_AT_MOST = 1.25
_DIFFERENT = 200  # records; both sides go round and round
_AT = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
_SUM = hashlib.sha256(b"").hexdigest()
Node = tuple[str, dict[str, str], str, list[Any]]  # tag, attributes, text, children


def exchange_of(number: int) -> Exchange:
    """One case with six invoices and four documents beside it: about 4 KB of XML."""
    address = Address(lines=("Rue de la Loi 16", "boîte 4"), postcode="1000", city="Bruxelles", country="BE")
    claims = tuple(
        ClaimItem(
            claim_id=f"claim-{number}-{place}", invoice_ref=f"2026/{number:06}/{place}", issued_on=dt.date(2026, 1, 30),
            due_on=dt.date(2026, 3, 1), original_amount=Decimal("150.00"), open_amount=Decimal("120.50"),
        )
        for place in range(6)
    )
    documents = tuple(
        DocumentItem(name=f"invoice-{place}.pdf", kind="invoice", media_type="application/pdf", sha256=_SUM)
        for place in range(4)
    )
    debtor = Party(
        name="Établissements Dupont & Fils", kind=PartyKind.COMPANY, country="BE", language="fr", address=address,
        registration_ref="0123456789", vat_ref="BE0123456789", contacts=(Contact(email="info@dupont.test"),),
    )
    file = CaseFile(
        message_id=f"m-{number:08}", case_id=f"c-{number:08}", case_number=f"2026-{number:06}", language="fr",
        procedure=Procedure.ENFORCEMENT, currency="EUR", principal=Decimal("723.00"), debtors=(debtor,), claims=claims,
        creditor=Party(name="Brouwerij De Kroon", country="BE", address=address), documents=documents,
        payment=PaymentInstruction(payee="Brouwerij De Kroon", account="BE68539007547034", reference=f"R{number:08}"),
        remarks="The goods were delivered and never disputed. " * 4,
    )
    return Exchange(exchange_id=f"x-{number:08}", sender_ref="kroon", receiver_ref="peeters", created_at=_AT, messages=(file,))


def ours(count: int) -> dict[str, Any]:
    """The product's way."""
    records = [exchange_of(number) for number in range(_DIFFERENT)]
    schema, form, seen = Schema.load(schema_folder() / XSD), XmlFormat(), hashlib.sha256()

    def work() -> None:
        for number in range(count):
            content = form.encode(records[number % _DIFFERENT])
            assert not schema.check(parse(content)), "what is produced is valid"
            seen.update(content)

    return {**measured(work), "sha256": seen.hexdigest()}


def bare(count: int) -> dict[str, Any]:
    """lxml alone, on texts that are ready."""
    form = XmlFormat()
    records = [_texts(etree.fromstring(form.encode(exchange_of(number)))) for number in range(_DIFFERENT)]
    schema, seen = etree.XMLSchema(etree.parse(str(schema_folder() / XSD))), hashlib.sha256()

    def work() -> None:
        for number in range(count):
            content = etree.tostring(_element(records[number % _DIFFERENT], None), encoding="UTF-8", xml_declaration=True)
            schema.assertValid(etree.fromstring(content))
            seen.update(content)

    return {**measured(work), "sha256": seen.hexdigest()}


def _texts(element: Any) -> Node:
    return element.tag, dict(element.attrib), element.text or "", [_texts(child) for child in element]


def _element(node: Node, parent: Any) -> Any:
    tag, attributes, text, children = node
    named: dict[Any, str] = {None: etree.QName(tag).namespace or ""}
    made = etree.Element(tag, attributes, nsmap=named) if parent is None else etree.SubElement(parent, tag, attributes)
    if text:
        made.text = text
    for child in children:
        _element(child, made)
    return made


def stream(megabytes: int) -> dict[str, Any]:
    """Write a batch of that size, then read it message by message; the peak counts from the reading on the whole process."""
    content = XmlFormat().encode(exchange_of(0))
    start, end = content.index(b"<CaseFile>"), content.index(b"</CaseFile>") + len(b"</CaseFile>")
    count = megabytes * 1_000_000 // (end - start)
    with tempfile.TemporaryFile() as file:
        file.write(content[:start].replace(b"<MessageCount>1<", b"<MessageCount>%d<" % count))
        for number in range(count):
            file.write(content[start:end].replace(b"m-00000000", b"m-%08d" % number))
        file.write(content[end:])
        file.seek(0)
        read: list[int] = []
        took = measured(lambda: read.append(sum(1 for _ in stream_messages(file, StreamHead()))))
    assert read == [count], "every message was read"
    return {**took, "peak_mb": peak_mb(), "messages": count}


def beside_bare(count: int, times: int) -> Iterator[Finding]:
    """Ours by bare, in CPU seconds of the processes, taking turns."""
    ratios, last = [], {}
    for _ in range(times):
        last = {side: run("exchange", side, count, seconds=1_800) for side in ("bare", "ours")}
        assert last["bare"]["sha256"] == last["ours"]["sha256"], "both made the same bytes"
        ratios.append(last["bare"]["cpu"] / last["ours"]["cpu"])
    told = {side: f"{count / found['cpu']:,.0f}/s of CPU" for side, found in last.items()}
    yield Finding(
        name=f"exchange: {count:,} case files produced and validated{spread(ratios)}", ours=told["ours"],
        beside=f"bare lxml {told['bare']}", ratio=round(median(ratios), 2), at_least=AT_LEAST,
    )


def flat(megabytes: int) -> Iterator[Finding]:
    """Peak memory of the large batch by that of one a tenth of its size."""
    small, large = (run("exchange", "stream", size, seconds=1_800) for size in (max(1, megabytes // 10), megabytes))
    yield Finding(
        name=f"exchange: inbound batch of {megabytes} MB, {large['messages']:,} messages", ours=f"{large['peak_mb']} MB",
        beside=f"a tenth of it: {small['peak_mb']} MB", ratio=round(large["peak_mb"] / small["peak_mb"], 2), at_most=FLAT_AT_MOST,
    )


if __name__ == "__main__":
    print(json.dumps({"ours": ours, "bare": bare, "stream": stream}[sys.argv[1]](int(sys.argv[2]))))
