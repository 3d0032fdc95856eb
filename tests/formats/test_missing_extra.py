"""A machine without an optional library: what needs it says so in words, everything else starts."""

from __future__ import annotations

import json
import subprocess
import sys

SCRIPT = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("signxml", "zeep"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from collecthub.errors import CollecthubError
from collecthub.plugins import load_factory, load_plugins

loaded, found = load_plugins(()), {}
for kind, spec in loaded.connectors.items():
    try:
        load_factory(spec)
        found[kind] = ""
    except CollecthubError as error:
        found[kind] = error.message
print(json.dumps({"kinds": found, "plugins": {name: state.is_loaded for name, state in loaded.states.items()}}))
"""


def test_without_the_libraries_of_signatures_and_soap_the_other_ways_are_open() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[-1])
    assert all(said["plugins"].values()), "a plugin is known though its library is missing"
    closed = {kind: words for kind, words in said["kinds"].items() if words}
    assert "sftp_batch" in closed and "signxml" in closed["sftp_batch"]
    assert "soap_exchange" in closed and "zeep" in closed["soap_exchange"]
    assert not {"partner_network", "erp_exact", "partner_webhook", "contact_smtp"} & closed.keys()
