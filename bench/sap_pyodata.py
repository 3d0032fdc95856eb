"""The peer: SAP's own pyodata reads the same pages and adds them up; it stores nothing.
`python -m bench.sap_pyodata SERVER ITEMS`.
"""

from __future__ import annotations

import json
import logging
import sys
from decimal import Decimal
from importlib.metadata import version

import pyodata
import requests

from bench.sap_bare import NAMES, places
from bench.sap_pages import COMPANY
from bench.sap_server import PAGE_ROWS
from bench.usage import measured, peak_mb


def read_all(server: str, items: int, found: dict[str, int]) -> None:
    """Every line with the columns that the connector selects, all of them looked at once."""
    names = NAMES.split()
    chosen = f"CompanyCode eq '{COMPANY}' and FinancialAccountType eq 'D' and IsCleared eq false"
    with requests.Session() as session:
        service = pyodata.Client(f"{server}/sap/opu/odata/{items}/", session)
        lines = service.entity_sets.A_OperationalAcctgDocItemCube
        after = ""
        while True:
            condition = f"{chosen} and AccountingDocument gt '{after}'" if after else chosen
            request = lines.get_entities().filter(condition).select(",".join(names)).order_by("AccountingDocument")
            page = request.top(PAGE_ROWS).execute()
            for line in page:
                row = {name: getattr(line, name) for name in names}
                amount = Decimal(row["AmountInTransactionCurrency"]).scaleb(places(row["TransactionCurrency"]))
                found["rows"] += 1
                found["open_minor"] += int(amount)
            if len(page) < PAGE_ROWS:
                return
            after = page[-1].AccountingDocument


def main(server: str, items: int) -> None:
    """Read everything once and say what it took."""
    logging.disable(logging.WARNING)  # it tells of every annotation that it does not know
    found = {"rows": 0, "open_minor": 0}
    told = measured(lambda: read_all(server, items, found))
    print(json.dumps({"load": told, **found, "peak_mb": peak_mb(), "version": version("pyodata")}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
