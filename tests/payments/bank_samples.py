"""Bank files that tests write themselves: camt by its published structure, CODA and MT940 record by record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

IBAN = "BE68539007547034"
DAY = dt.date(2026, 6, 10)
_KINDS = {"camt.052": ("BkToCstmrAcctRpt", "Rpt"), "camt.053": ("BkToCstmrStmt", "Stmt"), "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn")}


def paid(amount: str, **more: Any) -> dict[str, Any]:
    """One incoming payment; `back=True` for one that the bank takes back."""
    return {"amount": amount, "on": DAY, "name": "", "iban": "", "text": "", "ref": "", "e2e": "", "bank_ref": "", **more}


def camt(kind: str, payments: Sequence[dict[str, Any]], *, account: str = IBAN, ident: str = "S-1", currency: str = "EUR") -> bytes:
    """A message with one booking per payment, valid against the published schema of version 08."""
    message, report = _KINDS[kind]
    entries = "".join(_entry(one, currency) for one in payments)
    moved = sum((Decimal(one["amount"]) * (-1 if one.get("back") or one.get("out") else 1) for one in payments), Decimal(0))
    balances = _balance("OPBD", Decimal("1000.00"), currency) + _balance("CLBD", 1000 + moved, currency)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:{kind}.001.08">'
        f"<{message}><GrpHdr><MsgId>{ident}</MsgId><CreDtTm>2026-06-11T06:00:00</CreDtTm></GrpHdr>"
        f"<{report}><Id>{ident}</Id><CreDtTm>2026-06-11T06:00:00</CreDtTm><Acct><Id><IBAN>{account}</IBAN></Id></Acct>"
        f"{balances if kind == 'camt.053' else ''}{entries}</{report}></{message}></Document>"
    ).encode()


def _balance(code: str, amount: Decimal, currency: str) -> str:
    sign = "CRDT" if amount >= 0 else "DBIT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"{currency}\">{abs(amount)}</Amt>"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{DAY}</Dt></Dt></Bal>"
    )


def _entry(one: dict[str, Any], currency: str) -> str:
    back, out = one.get("back", False), one.get("out", False)
    side = "Cdtr" if back or out else "Dbtr"
    refs = f"<EndToEndId>{one['e2e']}</EndToEndId>" if one["e2e"] else ""
    party = f"<{side}><Pty><Nm>{one['name']}</Nm></Pty></{side}>" if one["name"] else ""
    party += f"<{side}Acct><Id><IBAN>{one['iban']}</IBAN></Id></{side}Acct>" if one["iban"] else ""
    said = f"<Ustrd>{one['text']}</Ustrd>" if one["text"] else ""
    said += f"<Strd><CdtrRefInf><Ref>{one['ref']}</Ref></CdtrRefInf></Strd>" if one["ref"] else ""
    return (
        f"<Ntry><Amt Ccy=\"{currency}\">{one['amount']}</Amt><CdtDbtInd>{'DBIT' if back or out else 'CRDT'}</CdtDbtInd>"
        + ("<RvslInd>true</RvslInd>" if back else "")
        + f"<Sts><Cd>{one.get('status', 'BOOK')}</Cd></Sts><BookgDt><Dt>{one['on']}</Dt></BookgDt>"
        + (f"<AcctSvcrRef>{one['bank_ref']}</AcctSvcrRef>" if one["bank_ref"] else "")
        + "<BkTxCd/><NtryDtls><TxDtls>"
        + (f"<Refs>{refs}</Refs>" if refs else "")
        + (f"<RltdPties>{party}</RltdPties>" if party else "")
        + (f"<RmtInf>{said}</RmtInf>" if said else "")
        + (f"<RtrInf><Rsn><Cd>{one['reason']}</Cd></Rsn></RtrInf>" if one.get("reason") else "")
        + "</TxDtls></NtryDtls></Ntry>"
    )


def coda(payments: Sequence[dict[str, Any]], *, account: str = IBAN, opening: str = "1000.00") -> bytes:
    """A CODA file with the payments as credit transfers; an OGM in `ref` becomes a communication of type 101."""
    records = [f"12001{account:<31}{'':3}EUR0{_milli(opening)}090626{'DE KROON':<26}{'':35}001"]
    for number, one in enumerate(payments, 1):
        sequence, sign = f"{number:04d}", "1" if one.get("back") else "0"
        said = f"1101{one['ref']:<50}" if one["ref"] else f"0{one['text']:<53}"
        code = "05050000" if one.get("back") else "00150000"
        records.append(
            f"21{sequence}0000{one['bank_ref']:<21}{sign}{_milli(one['amount'])}{one['on']:%d%m%y}{code}"
            f"{said[:54]}{one['on']:%d%m%y}00101 0"
        )
        records.append(f"22{sequence}0000{'':53}{one['e2e']:<35}{'':27}1 0")
        records.append(f"23{sequence}0000{one['iban']:<37}{one['name']:<35}{'':43}0 0")
    into = sum((Decimal(one["amount"]) for one in payments if not one.get("back")), Decimal(0))
    out = sum((Decimal(one["amount"]) for one in payments if one.get("back")), Decimal(0))
    records.append(f"8001{account:<31}{'':3}EUR0{_milli(str(Decimal(opening) + into - out))}100626{'':64}0")
    trailer = f"9{'':15}{len(records):06d}{_milli(str(out))}{_milli(str(into))}{'':75}2"
    lines = [f"{line:<128}"[:128] for line in records]
    return ("\r\n".join([_header(), *lines, f"{trailer[:127]:<127}2"]) + "\r\n").encode("latin-1")


def _header() -> str:
    return f"{'0000011062620105':<16}{'':8}{'FILE1':<10}{'DE KROON':<26}{'GEBABEBB':<11}{'00536908262 00000':<17}".ljust(127) + "2"


def _milli(amount: str) -> str:
    return f"{int(Decimal(amount) * 1000):015d}"


def mt940(payments: Sequence[dict[str, Any]], *, account: str = IBAN) -> bytes:
    """An MT940 statement whose texts are written as Dutch banks do."""
    lines = [":20:START", f":25:{account}", ":28C:00001", ":60F:C260609EUR1000,00"]
    moved = Decimal(0)
    for one in payments:
        mark = "RC" if one.get("back") else "C"
        moved += Decimal(one["amount"]) * (-1 if one.get("back") else 1)
        ref = f"//{one['bank_ref']}" if one["bank_ref"] else ""
        lines.append(f":61:{one['on']:%y%m%d}{one['on']:%m%d}{mark}{one['amount'].replace('.', ',')}NTRFEREF{ref}")
        lines.append(f":86:/EREF/{one['e2e'] or 'NOTPROVIDED'}/NAME/{one['name']}/IBAN/{one['iban']}/REMI/{one['text'] or one['ref']}")
    lines.append(f":62F:C260610EUR{1000 + moved}".replace(".", ","))
    return ("\r\n".join([*lines, "-"]) + "\r\n").encode()
