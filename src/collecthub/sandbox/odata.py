"""The OData V2 expression grammar that both ERP twins enforce: `$filter`, literals, keys and skip tokens.

A filter is parsed strictly, checked against the types of the entity, and turned into an SQL condition with
parameters. Whatever the vendor would refuse raises `ODataError`, whose text goes into the vendor's error shape.
Values are kept in SQL as: text, numbers as decimal text or integers, dates as ISO text without zone, guids in
lower case, Booleans as 0 and 1.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

NUMBER = frozenset({"Int16", "Int32", "Int64", "Byte", "SByte", "Double", "Decimal"})
_KINDS = {"String": "text", "Guid": "guid", "DateTime": "moment", "DateTimeOffset": "moment", "Time": "time"}
_KINDS |= {"Boolean": "bool"} | dict.fromkeys(NUMBER, "number")
_COMPARISONS = {"eq": "IS", "ne": "IS NOT", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_TOKEN = re.compile(
    r"\s*(?:(?P<typed>(?:guid|datetimeoffset|datetime|time|binary)'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?[LlMmDdFf]?(?![\w.]))"
    r"|(?P<name>[A-Za-z_]\w*(?:/\w+)*)|(?P<mark>[(),=]))"
)


class ODataError(ValueError):
    """A request that the vendor refuses with 400; the text is the vendor's message."""


@dataclass(frozen=True)
class Dialect:
    """What differs between the vendors: functions known, and the words for what is not."""

    functions: frozenset[str]
    unknown_property: str = "No property '{name}' exists in type '{type}' at position {position}."
    bad_guid: str = "Unrecognized 'Edm.Guid' literal '{literal}' in '{position}'."
    syntax: str = "Syntax error at position {position}."


@dataclass(frozen=True)
class EntityType:
    """A type of the vendor's model: `properties` maps each name to its Edm type without the prefix."""

    name: str
    key: tuple[str, ...]
    properties: Mapping[str, str]
    dialect: Dialect


class Literal(NamedTuple):
    """A value as SQL keeps it, with its kind (text, number, moment, time, guid, bool or null)."""

    value: str | int | float | None
    kind: str


class Token(NamedTuple):
    """One word of an expression and where it stood."""

    kind: str
    text: str
    position: int


class Sql(NamedTuple):
    """A piece of SQL, its parameters and the kind of its value ("bool" for a condition)."""

    text: str
    parameters: tuple[object, ...]
    kind: str


@dataclass
class Condition:
    """A compiled filter: the SQL condition and the names of the properties that it reads."""

    sql: str
    parameters: tuple[object, ...]
    fields: set[str] = field(default_factory=set)


def tokenize(text: str, dialect: Dialect) -> list[Token]:
    """Split an expression into tokens; anything unreadable is a syntax error."""
    tokens: list[Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ODataError(dialect.syntax.format(position=position))
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind)))
        position = match.end()
    return tokens


def read_literal(token: Token, dialect: Dialect) -> Literal:
    """The value of a literal token, or `ODataError`.

    >>> read_literal(Token("text", "'O''Neill'", 0), Dialect(frozenset()))
    Literal(value="O'Neill", kind='text')
    """
    if token.kind == "text":
        return Literal(token.text[1:-1].replace("''", "'"), "text")
    if token.kind == "number":
        digits = token.text.rstrip("LlMmDdFf")
        return Literal(int(digits) if digits.lstrip("-").isdigit() else float(digits), "number")
    if token.kind == "typed":
        return _typed_literal(token, dialect)
    words = {"true": Literal(1, "bool"), "false": Literal(0, "bool"), "null": Literal(None, "null")}
    if token.kind == "name" and token.text in words:
        return words[token.text]
    raise ODataError(dialect.syntax.format(position=token.position))


def _typed_literal(token: Token, dialect: Dialect) -> Literal:
    name, value = token.text[:-1].split("'", 1)
    try:
        if name == "guid":
            return Literal(str(uuid.UUID(value)), "guid")
        if name in ("datetime", "datetimeoffset"):
            moment = dt.datetime.fromisoformat(value)
            return Literal(moment.replace(tzinfo=None).isoformat(timespec="seconds"), "moment")
    except ValueError as error:
        message = (
            dialect.bad_guid
            if name == "guid"
            else "Unrecognized 'Edm.DateTime' literal '{literal}' in '{position}'."
        )
        raise ODataError(message.format(literal=token.text, position=token.position)) from error
    return Literal(value, "time")


def compile_filter(text: str, entity: EntityType, column: Callable[[str], str]) -> Condition:
    """Compile `$filter`; `column` gives the SQL expression of a property. Raises `ODataError`."""
    parser = _Parser(text, entity, column)
    return parser.whole()


class _Parser:
    """Recursive descent over `or`, `and`, `not`, comparison, function and literal."""

    def __init__(self, text: str, entity: EntityType, column: Callable[[str], str]) -> None:
        self._tokens = tokenize(text, entity.dialect)
        self._end = len(text)
        self._entity = entity
        self._column = column
        self._fields: set[str] = set()

    def whole(self) -> Condition:
        sql = self._condition()
        if self._tokens:
            raise self._syntax()
        return Condition(sql.text, sql.parameters, self._fields)

    def _syntax(self) -> ODataError:
        position = self._tokens[0].position if self._tokens else self._end
        return ODataError(self._entity.dialect.syntax.format(position=position))

    def _take(self, *texts: str) -> str:
        """The next word when it is one of `texts`, else empty."""
        if self._tokens and self._tokens[0].text in texts and self._tokens[0].kind in ("name", "mark"):
            return self._tokens.pop(0).text
        return ""

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._syntax()

    def _condition(self) -> Sql:
        left = self._conjunction()
        while self._take("or"):
            left = self._joined("OR", left, self._conjunction())
        return left

    def _conjunction(self) -> Sql:
        left = self._negation()
        while self._take("and"):
            left = self._joined("AND", left, self._negation())
        return left

    def _joined(self, word: str, left: Sql, right: Sql) -> Sql:
        if left.kind != "bool" or right.kind != "bool":
            raise ODataError(f"Operator '{word.lower()}' incompatible with its operands.")
        return Sql(f"({left.text} {word} {right.text})", left.parameters + right.parameters, "bool")

    def _negation(self) -> Sql:
        if not self._take("not"):
            return self._comparison()
        inner = self._negation()
        return Sql(f"(NOT {inner.text})", inner.parameters, "bool")

    def _comparison(self) -> Sql:
        left = self._operand()
        operator = self._take(*_COMPARISONS)
        if not operator:
            if left.kind != "bool":
                raise ODataError("Expression of type 'System.Boolean' expected.")
            return left
        right = self._operand()
        if "null" not in (left.kind, right.kind) and left.kind != right.kind:
            raise ODataError(
                f"Operator '{operator}' incompatible with operand types '{left.kind}' and '{right.kind}'."
            )
        sql = f"({left.text} {_COMPARISONS[operator]} {right.text})"
        return Sql(sql, left.parameters + right.parameters, "bool")

    def _operand(self) -> Sql:
        if self._take("("):
            inner = self._condition_or_value()
            self._expect(")")
            return inner
        if not self._tokens:
            raise self._syntax()
        token = self._tokens.pop(0)
        if token.kind == "name" and token.text not in ("true", "false", "null"):
            called = self._take("(")
            return self._call(token) if called else self._property(token)
        literal = read_literal(token, self._entity.dialect)
        return Sql("?", (literal.value,), literal.kind)

    def _condition_or_value(self) -> Sql:
        return self._condition()

    def _property(self, token: Token) -> Sql:
        edm = self._entity.properties.get(token.text)
        if edm is None or edm not in _KINDS:
            message = self._entity.dialect.unknown_property
            raise ODataError(message.format(name=token.text, type=self._entity.name, position=token.position))
        self._fields.add(token.text)
        return Sql(self._column(token.text), (), _KINDS[edm])

    def _call(self, token: Token) -> Sql:
        if token.text not in self._entity.dialect.functions:
            raise ODataError(f"Unknown function '{token.text}' at position {token.position}.")
        arguments = [self._operand()]
        while self._take(","):
            arguments.append(self._operand())
        self._expect(")")
        template, count, kind = _FUNCTIONS[token.text]
        if len(arguments) != count or any(one.kind not in ("text", "guid") for one in arguments):
            raise ODataError(f"No applicable function found for '{token.text}' at position {token.position}.")
        parameters = tuple(value for index in template.order for value in arguments[index].parameters)
        return Sql(template.text.format(*(one.text for one in arguments)), parameters, kind)


class _Template(NamedTuple):
    text: str
    order: tuple[int, ...]


_FUNCTIONS: dict[str, tuple[_Template, int, str]] = {
    "substringof": (_Template("(instr({1}, {0}) > 0)", (1, 0)), 2, "bool"),
    "startswith": (_Template("(instr({0}, {1}) = 1)", (0, 1)), 2, "bool"),
    "endswith": (_Template("({0} LIKE '%' || {1})", (0, 1)), 2, "bool"),
    "trim": (_Template("trim({0})", (0,)), 1, "text"),
    "tolower": (_Template("lower({0})", (0,)), 1, "text"),
    "toupper": (_Template("upper({0})", (0,)), 1, "text"),
}


def read_key(text: str, entity: EntityType) -> dict[str, str | int | float | None]:
    """The key predicate between the brackets of `Entity(...)`: one bare literal or NAME=literal pairs."""
    tokens = tokenize(text, entity.dialect)
    if len(tokens) == 1 and len(entity.key) == 1:
        return {entity.key[0]: read_literal(tokens[0], entity.dialect).value}
    values: dict[str, str | int | float | None] = {}
    for start in range(0, len(tokens), 4):
        part = tokens[start : start + 4]
        if len(part) < 3 or part[1].text != "=" or (len(part) == 4 and part[3].text != ","):
            raise ODataError("Malformed key predicate.")
        values[part[0].text] = read_literal(part[2], entity.dialect).value
    if set(values) != set(entity.key):
        raise ODataError(f"The key of '{entity.name}' is {', '.join(entity.key)}.")
    return values


def read_literals(text: str, dialect: Dialect) -> list[str | int | float | None]:
    """The values of a `$skiptoken`: literals joined by commas."""
    tokens = tokenize(text, dialect)
    if any(token.text != "," for token in tokens[1::2]) or len(tokens) % 2 == 0:
        raise ODataError("Malformed $skiptoken.")
    return [read_literal(token, dialect).value for token in tokens[::2]]


def write_literal(value: object, edm: str) -> str:
    """A value as it is written in a key or skip token.

    >>> write_literal("O'Neill", "String"), write_literal(7, "Int64"), write_literal(None, "DateTime")
    ("'O''Neill'", '7L', 'null')
    """
    if value is None:
        return "null"
    if edm in ("Guid", "DateTime"):
        return f"{edm.lower()}'{value}'"
    if edm in NUMBER:
        return f"{value}L" if edm == "Int64" else str(value)
    return "'" + str(value).replace("'", "''") + "'"
