"""dlt's rest_api source over the same pages: `python -m bench.peer_dlt SERVER DATABASE ITEMS FOLDER`.

Runs in an environment of its own. It appends, the cheapest way that dlt has; a merge by key takes many times longer.
"""

from __future__ import annotations

import json
import os
import sys

from bench.usage import measured, peak_mb

os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", RUNTIME__LOG_LEVEL="ERROR")

import dlt  # type: ignore[import-not-found]  # an environment of its own; reads its settings from the environment when it is imported
from dlt.sources.rest_api import rest_api_source  # type: ignore[import-not-found]  # as above


def main(server: str, database: str, items: int, folder: str) -> None:
    """Load once and say what it took."""
    source = rest_api_source(
        {
            "client": {"base_url": f"{server}/api/v1/{items}/", "paginator": {"type": "json_link", "next_url_path": "d.__next"}},
            "resources": [
                {
                    "name": "terms", "write_disposition": "append",
                    "endpoint": {"path": "sync/Cashflow/PaymentTerms", "data_selector": "d.results"},
                }
            ],
        }
    )  # fmt: skip
    destination = dlt.destinations.sqlalchemy(database)
    pipeline = dlt.pipeline("bench", destination=destination, dataset_name="main", pipelines_dir=folder)
    load = measured(lambda: pipeline.run(source))
    counted = pipeline.last_trace.last_normalize_info.row_counts.get("terms", 0)
    if counted != items:
        raise SystemExit(f"dlt loaded {counted} of {items} items")
    print(json.dumps({"load": load, "rows": counted, "version": dlt.__version__, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
