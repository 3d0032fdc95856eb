"""Rules that a reviewer would otherwise repeat: names, sizes, calls that have hurt before."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from architecture.source_tree import is_below, nodes_of, place, sources

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 450

Call = tuple[str, dict[str, ast.expr], int]


@cache
def calls(path: Path) -> tuple[Call, ...]:
    """Every call of a file: its dotted name as written, its keyword arguments, its line."""
    return tuple(
        (ast.unparse(node.func), {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}, node.lineno)
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
    )


def is_constant(value: ast.expr | None, constant: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is constant


def found(*findings: str) -> str:
    return "\n" + "\n".join(findings)


def test_no_module_has_a_name_that_says_nothing() -> None:
    findings = [place(path) for path in sources() if VAGUE_NAMES & {path.stem, path.parent.name}]
    assert not findings, found(*findings)


def test_files_and_functions_stay_readable() -> None:
    findings = []
    for path in sources():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > FILE_LINES_MAX:
            findings.append(f"{place(path)}: {lines} lines")
        for node in nodes_of(path):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > FUNCTION_LINES_MAX:
                    findings.append(f"{place(path, node.lineno)} {node.name}: {size} lines")
    assert not findings, found(*findings)


def test_no_peer_is_trusted_unseen() -> None:
    """No unknown SSH host, no unchecked certificate: both would hand a debtor's file to whoever answers."""
    findings = [
        f"{place(path, line)} {name}"
        for path in sources()
        for name, keywords, line in calls(path)
        if name.endswith(("AutoAddPolicy", "WarningPolicy"))
        or is_constant(keywords.get("known_hosts"), None) and "known_hosts" in keywords
        or is_constant(keywords.get("verify"), False)
    ]  # fmt: skip
    findings += [
        f"{place(path, node.lineno)} sets verify = False"
        for path in sources()
        for node in nodes_of(path)
        if isinstance(node, ast.Assign) and is_constant(node.value, False)
        and any(ast.unparse(target).endswith("verify") for target in node.targets)
    ]  # fmt: skip
    assert not findings, found(*findings)


def test_decoders_are_made_one_after_the_other() -> None:
    """A decoder made inside a function may be made by two threads at once, and then the process dies."""
    findings = [
        f"{place(path, call.lineno)} {ast.unparse(call.func)}"
        for path in sources()
        if not is_below(path, "wire/decoders", "sandbox")
        for outer in nodes_of(path)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for call in ast.walk(outer)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split("[")[0].endswith(("json.Decoder", "msgpack.Decoder"))
    ]
    assert not findings, found(*findings)


def test_no_rename_replaces_a_file_silently() -> None:
    """POSIX rename over SFTP overwrites an earlier case file without a word; the plain one refuses."""
    findings = [
        f"{place(path, node.lineno)} {node.attr}"
        for path in sources()
        for node in nodes_of(path)
        if isinstance(node, ast.Attribute) and node.attr == "posix_rename"
    ]
    assert not findings, found(*findings)


def test_xml_from_outside_is_parsed_in_one_safe_place() -> None:
    """XInclude and a default parser read local files; `wire.xml` refuses every DOCTYPE first."""
    findings = []
    for path in sources():
        for name, _, line in calls(path):
            last = name.rpartition(".")[2]
            is_parse = name.startswith(("etree.", "ElementTree.", "ET.", "objectify.", "lxml.")) and last in {
                "parse", "fromstring", "XML", "iterparse", "XMLParser", "fromstringlist",
            }  # fmt: skip
            if last == "xinclude" or is_parse and not is_below(path, "wire/xml", "sandbox"):
                findings.append(f"{place(path, line)} {name}")
    assert not findings, found(*findings)


def test_money_never_becomes_a_float() -> None:
    findings = [
        f"{place(path, line)} float()"
        for path in sources()
        if is_below(path, "model", "law", "corridor", "formats")
        for name, _, line in calls(path)
        if name == "float"
    ]
    assert not findings, found(*findings)


def test_no_error_is_swallowed() -> None:
    """A bare `except:` or `except Exception: pass` hides the bug and the lost item alike."""
    findings = []
    for path in sources():
        for node in nodes_of(path):
            if isinstance(node, ast.ExceptHandler):
                catches_all = node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"}
                says_nothing = all(isinstance(step, ast.Pass | ast.Continue) for step in node.body)
                if node.type is None or catches_all and says_nothing:
                    findings.append(place(path, node.lineno))
    assert not findings, found(*findings)


def test_every_silenced_check_names_its_rule() -> None:
    """A `noqa` or `type: ignore` without a code also hides the next, unrelated finding of that line."""
    findings = [
        place(path, number)
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ("# noqa" in line and "# noqa:" not in line) or ("type: ignore" in line and "type: ignore[" not in line)
    ]
    assert not findings, found(*findings)
