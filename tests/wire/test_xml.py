"""wire.xml: what is refused, what is read, and that nothing is fetched."""

from __future__ import annotations

import io
import socket
import time
import tracemalloc
from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError, QuarantineError
from collecthub.wire.xml import Schema, iter_elements, parse, serialise
from wire.peers import tcp_peer

LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 11)
)  # fmt: skip
DOCTYPES = {
    "S01 billion laughs": f"{LAUGHS}]><x>&a10;</x>",
    "S02 quadratic": f"<!DOCTYPE x [<!ENTITY a '{'y' * 100_000}'>]><x>{'&a;' * 50_000}</x>",
    "S03 local file": '<!DOCTYPE x [<!ENTITY s SYSTEM "file:///etc/hostname">]><x>&s;</x>',
    "S04 external subset": '<!DOCTYPE x SYSTEM "http://127.0.0.1:PORT/x.dtd"><x/>',
    "S04 parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:PORT/p">%p;]><x/>',
    "behind a comment": "<?xml version='1.0'?>\n<!-- <x> --><?pi a?>\n<!DOCTYPE x><x/>",
    "lower case": "<!doctype x><x/>",
}


def refusal(content: bytes) -> str:
    with pytest.raises(QuarantineError) as refused:
        parse(content)
    return refused.value.code


@pytest.mark.parametrize("text", DOCTYPES.values(), ids=DOCTYPES.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_unread(text: str, encoding: str) -> None:
    with tcp_peer(lambda connection: None) as canary:
        content = text.replace("PORT", str(canary.port)).encode(encoding)
        tracemalloc.start()
        started = time.perf_counter()
        code = refusal(content)
        seconds = time.perf_counter() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        with pytest.raises(QuarantineError) as refused:
            next(iter_elements(io.BytesIO(content), "x"))
    assert (code, refused.value.code, canary.requests) == ("xml.doctype", "xml.doctype", [])
    assert seconds < 0.1 and peak < 10_000_000 + 3 * len(content)


def test_xinclude_and_schema_hints_are_only_text() -> None:
    with tcp_peer(lambda connection: None) as canary:
        root = parse(
            f"""<?xml-stylesheet href="http://127.0.0.1:{canary.port}/s.xsl" type="text/xsl"?>
            <x xmlns:xi="http://www.w3.org/2001/XInclude" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
               xsi:schemaLocation="urn:x http://127.0.0.1:{canary.port}/x.xsd">
            <xi:include href="file:///etc/hostname" parse="text"/></x>""".encode()
        )
    assert socket.gethostname() not in serialise(root).decode()
    assert canary.requests == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<a>" * 65 + b"</a>" * 65, "xml.limit"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "xml.limit"),
        (b"<a>" + b"x" * 12_000_000 + b"</a>", "xml.limit"),
        (b"<a " + b" ".join(b'a%d="1"' % n for n in range(200_000)) + b"/>", "xml.limit"),
        (b"<a>" + b" " * 20_000_000 + b"</a>", "xml.limit"),
        (b"<!--" + b" " * 70_000 + b"--><a/>", "xml.limit"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "xml.encoding"),
        (b'<?xml version="1.0" encoding="utf-16"?><a/>', "xml.encoding"),
        ("<a/>".encode("utf-16-le"), "xml.encoding"),
        ("<a>\u00e9</a>".encode("latin-1"), "xml.encoding"),
        (b"<a>\0</a>", "xml.encoding"),
        (b"<a>&#0;</a>", "xml.encoding"),
        (b"<a>&s;</a>", "xml.malformed"),
        (b"<a><b></a>", "xml.malformed"),
        (b"<a>", "xml.malformed"),
        (b"", "xml.malformed"),
        (b"%PDF-1.7", "xml.malformed"),
        (b"<a/><b/>", "xml.malformed"),
    ],
    ids=range(18),
)
def test_a_refusal_has_its_reason(content: bytes, code: str) -> None:
    assert refusal(content) == code


@pytest.mark.parametrize(
    "content",
    [
        "<a>\u00e9\u20ac</a>".encode(),
        "<a>\u00e9\u20ac</a>".encode("utf-8-sig"),
        "<a>\u00e9\u20ac</a>".encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><a>\u00e9\u20ac</a>'.encode("utf-16"),
        '<?xml version="1.0" encoding="windows-1252"?><a>\u00e9\u20ac</a>'.encode("cp1252"),
        '<?xml version="1.0" encoding="ISO-8859-15" standalone="yes"?><a>\u00e9\u20ac</a>'.encode(
            "iso8859-15"
        ),
    ],
)
def test_the_usual_encodings_are_read(content: bytes) -> None:
    assert parse(content).text == "\u00e9\u20ac"
    assert [element.text for element in iter_elements(io.BytesIO(content), "a")] != []


def test_the_limits_themselves_pass() -> None:
    assert parse(b"<a>" * 64 + b"</a>" * 64).tag == "a"
    assert len(parse(b"<a " + b" ".join(b'a%d="1"' % n for n in range(1000)) + b"/>").attrib) == 1000


def test_a_comment_does_not_cut_an_amount() -> None:
    assert parse(b"<a>10<!-- x -->0<?pi?>.00</a>").text == "100.00"


def test_what_is_written_is_read_again() -> None:
    root = parse('<x:a xmlns:x="urn:x" b="&lt;&quot;">\u0416<c/> \u4e2d tail</x:a>'.encode())
    assert serialise(root) == serialise(parse(serialise(root)))
    assert serialise(root).startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<x:a")


def test_a_big_document_is_streamed_in_flat_memory() -> None:
    case = b"<c><ref>%06d</ref>" + b"<t>some text of a claim</t>" * 40 + b"</c>"
    content = b"<batch xmlns='urn:x'>" + b"".join(case % n for n in range(4_000)) + b"</batch>"
    tracemalloc.start()
    found = [element[0].text for element in iter_elements(io.BytesIO(content), "{urn:x}c")]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [f"{n:06d}" for n in range(4_000)]
    assert peak < 3_000_000, "Python's share; the tree lies in C and is emptied"


def test_a_broken_stream_gives_what_came_before() -> None:
    content = b"<b>" + b"<c>1</c>" * 5 + b"<c>"
    found = []
    with pytest.raises(QuarantineError) as refused:
        for element in iter_elements(io.BytesIO(content), "c"):
            found.append(element.text)
    assert (len(found), refused.value.code) == (5, "xml.malformed")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<b>" + b"<c>" * 80 + b"</c>" * 80 + b"</b>", "xml.limit"),
        (b"<b><c>\xff</c></b>", "xml.encoding"),
        (b"<b>" + b"<c/>" * 30_000 + b"</b>", "xml.limit"),
    ],
)
def test_a_stream_has_the_same_limits(content: bytes, code: str) -> None:
    with pytest.raises(QuarantineError) as refused:
        for _ in iter_elements(io.BytesIO(content), "c", max_bytes=100_000):
            pass
    assert refused.value.code == code


HEAD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:a" xmlns="urn:a" elementFormDefault="qualified">'
AMOUNT = f'{HEAD}<xs:simpleType name="Amount"><xs:restriction base="xs:decimal"/></xs:simpleType></xs:schema>'
BATCH = """<xs:element name="batch"><xs:complexType><xs:sequence>
  <xs:element name="case" maxOccurs="unbounded"><xs:complexType><xs:sequence>
    <xs:element name="amount" type="Amount"/></xs:sequence></xs:complexType></xs:element>
</xs:sequence></xs:complexType></xs:element></xs:schema>"""


def schema_in(folder: Path, location: str) -> Path:
    (folder / "amount.xsd").write_text(AMOUNT)
    path = folder / "batch.xsd"
    path.write_text(f'{HEAD}<xs:include schemaLocation="{location}"/>{BATCH}')
    return path


@pytest.mark.parametrize("prefix", ["", "p:"])
def test_a_schema_names_line_and_path(tmp_path: Path, prefix: str) -> None:
    schema = Schema.load(schema_in(tmp_path, "amount.xsd"))
    space = 'xmlns:p="urn:a"' if prefix else 'xmlns="urn:a"'
    good = f"<{prefix}case><{prefix}amount>1.00</{prefix}amount></{prefix}case>"
    bad = f"<{prefix}case><{prefix}amount>one</{prefix}amount></{prefix}case>"
    assert schema.check(parse(f"<{prefix}batch {space}>{good}</{prefix}batch>".encode())) == []
    faults = schema.check(parse(f"<{prefix}batch {space}>{good}\n{good}\n{bad}</{prefix}batch>".encode()))
    assert [(fault.line, fault.path) for fault in faults] == [(3, "/batch/case[3]/amount")]
    assert "'one'" in faults[0].message and "urn:a" not in faults[0].message


@pytest.mark.parametrize(
    "location", ["../amount.xsd", "ABSOLUTE", "file:///etc/hostname", "http://127.0.0.1:PORT/a.xsd"]
)
def test_a_schema_reaches_nothing_outside_its_folder(tmp_path: Path, location: str) -> None:
    (tmp_path / "amount.xsd").write_text(AMOUNT)
    inner = tmp_path / "inner"
    inner.mkdir()
    with tcp_peer(lambda connection: None) as canary:
        place = location.replace("PORT", str(canary.port)).replace("ABSOLUTE", str(tmp_path / "amount.xsd"))
        with pytest.raises(ConfigurationError):
            Schema.load(schema_in(inner, place))
    assert canary.requests == []


def test_a_schema_may_span_the_folders_below_a_root(tmp_path: Path) -> None:
    (tmp_path / "amount.xsd").write_text(AMOUNT)
    inner = tmp_path / "inner"
    inner.mkdir()
    schema = Schema.load(schema_in(inner, "../amount.xsd"), root=tmp_path)
    assert schema.check(parse(b'<batch xmlns="urn:a"><case><amount>1</amount></case></batch>')) == []
