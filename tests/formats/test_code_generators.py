"""The XSD makes usable classes: with generators for Python and Java that are not ours, and by the rules that .NET needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from collecthub.formats.xml import XmlFormat
from formats.exchanges import exchange, told_case_file

CHECKOUT = Path(__file__).parents[2]
XSD = CHECKOUT / "schemas" / "case-exchange-1.0.xsd"
EXAMPLES = CHECKOUT / "docs" / "handbook" / "examples"
XS = "{http://www.w3.org/2001/XMLSchema}"

_ROUND = """
import sys
from pathlib import Path
import supplier
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer
for path in sys.argv[1:]:
    read = XmlParser().from_path(Path(path), supplier.Exchange)
    Path(path).name and Path(Path(path).name).write_text(
        XmlSerializer().render(read, ns_map={None: "urn:collecthub:case-exchange:1.0"}), encoding="utf-8")
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Classes made by xsdata from the published file alone."""
    folder = tmp_path_factory.mktemp("classes")
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # it formats what it writes with ruff
    words = ["-m", "xsdata", "generate", str(XSD), "--package", "supplier", "--structure-style", "single-package", "--compound-fields"]
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env={**os.environ, "PATH": tools}, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def examples(tmp_path: Path) -> list[Path]:
    """Those of the handbook, and a case file that says all that one can say."""
    told = tmp_path / "told.xml"
    told.write_bytes(XmlFormat().encode(exchange(told_case_file())))
    return [*(EXAMPLES / f"{name}.xml" for name in ("hand-over", "amendments", "reports")), told]


def test_generated_classes_read_and_write_every_example(generated: Path, examples: list[Path]) -> None:
    subprocess.run([sys.executable, "-c", _ROUND, *map(str, examples)], cwd=generated, check=True)
    schema = etree.XMLSchema(etree.parse(XSD))
    for example in examples:
        written = (generated / example.name).read_bytes()
        assert schema.validate(etree.fromstring(written)), schema.error_log
        assert XmlFormat().decode(written).messages == XmlFormat().decode(example.read_bytes()).messages


@pytest.mark.skipif(not (shutil.which("xjc") and shutil.which("javac")), reason="no xjc and javac (Debian: jaxb, default-jdk-headless)")
def test_java_classes_read_and_write_every_example(tmp_path: Path, examples: list[Path]) -> None:
    """JAXB's own generator and the compiler, by the handbook's script; both ways the schema is asked by Java as well."""
    made = tmp_path / "made"
    made.mkdir()
    words = ["sh", str(EXAMPLES.parent / "java" / "build.sh"), str(XSD), str(made), *map(str, examples)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    counts = ["hand-over.xml: 1 messages", "amendments.xml: 3 messages", "reports.xml: 8 messages", "told.xml: 1 messages"]
    assert done.stdout.split("\n")[:4] == counts
    schema = etree.XMLSchema(etree.parse(XSD))
    for example in examples:
        written = (made / example.name).read_bytes()
        assert schema.validate(etree.fromstring(written)), schema.error_log
        assert XmlFormat().decode(written).messages == XmlFormat().decode(example.read_bytes()).messages


def test_the_schema_keeps_to_what_generators_understand() -> None:
    """XSD 1.0; named types only, so that classes have names; no mixed text, no redefinition, no groups, no lists; names that
    differ in more than capitals, because files of Java and C# classes would otherwise overwrite each other."""
    root = etree.parse(XSD).getroot()
    used = {element.tag.removeprefix(XS) for element in root.iter() if isinstance(element.tag, str)}
    assert not used & {"redefine", "override", "group", "attributeGroup", "list", "union", "assert", "alternative", "notation"}
    assert not [one for one in root.iter(f"{XS}complexType", f"{XS}simpleType") if one.get("name") is None and one.getparent().tag == f"{XS}element"]
    assert not root.xpath("//*[@mixed='true' or @substitutionGroup or @abstract='true' or @block]")
    names = Counter(one.get("name", "").lower() for one in root.iter(f"{XS}complexType", f"{XS}simpleType"))
    assert max(names.values()) == 1
    for kind in root.iter(f"{XS}complexType"):
        fields = Counter(one.get("name", one.get("ref", "")).lower() for one in kind.iter(f"{XS}element", f"{XS}attribute"))
        assert not fields or max(fields.values()) == 1, kind.get("name")
