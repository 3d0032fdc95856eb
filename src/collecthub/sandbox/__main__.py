"""`python -m collecthub.sandbox NAME --home DIR`: runs one twin in this process until it is told to stop."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from collecthub.errors import ConfigurationError
from collecthub.sandbox.twin import TwinOptions

TWINS = {
    "exact": "collecthub.sandbox.exact",
    "sap": "collecthub.sandbox.sap",
    "b1": "collecthub.sandbox.b1",
    "bailiff": "collecthub.sandbox.bailiff",
    "lawyer": "collecthub.sandbox.lawyer",
    "sdt": "collecthub.sandbox.sdt",
    "agency": "collecthub.sandbox.agency",
    "debitura": "collecthub.sandbox.agency_debitura",
    "mail": "collecthub.sandbox.mail",
    "sms": "collecthub.sandbox.sms",
    "insolvency_register": "collecthub.sandbox.insolvency_register",
    "creditor": "collecthub.sandbox.creditor",
}
"""Name of a twin to the module whose `serve(options)` runs it; imported only when asked for."""


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form NAME=VALUE")
    return name, value


def read_options(arguments: list[str]) -> TwinOptions:
    """Command line to options; argparse prints the usage and exits with 2 when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m collecthub.sandbox", description=__doc__)
    parser.add_argument("name", choices=sorted(TWINS), help="which twin to run")
    parser.add_argument("--home", type=Path, required=True, help="folder for its books and its NAME.json")
    parser.add_argument(
        "--port", type=int, default=0, help="port on 127.0.0.1; 0 takes the last one or a free one"
    )
    parser.add_argument("--parent-pid", type=int, default=0, help="exit when this process is gone")
    parser.add_argument(
        "--raised-limits", action="store_true", help="announce large rate limits (demo, bench)"
    )
    parser.add_argument(
        "--shared", type=Path, default=None, help="folder with the vendors' interface descriptions"
    )
    parser.add_argument("--instance", default="", help="name of the files below home, when a twin runs twice")
    parser.add_argument(
        "--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", dest="settings"
    )
    given = parser.parse_args(arguments)
    return TwinOptions(
        name=given.name, home=given.home, port=given.port, parent_pid=given.parent_pid, instance=given.instance,
        raised_limits=given.raised_limits, shared=given.shared, settings=dict(given.settings),
    )  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run one twin; 3 when its settings are wrong or it does not exist in this build."""
    options = read_options(arguments)
    try:
        importlib.import_module(TWINS[options.name]).serve(options)
    except ConfigurationError as error:
        print(f"{error.message} {error.cure}".rstrip(), file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
