"""Load plugins, keep them apart, and wrap every call to one.

A plugin that cannot be imported, raises, answers nonsense or hangs is reported and set aside; the hub and the
other plugins go on. Implementations of a hook are called one by one, because a broadcast in pluggy stops at
the first one that raises.
"""

from __future__ import annotations

import contextvars
import importlib
import importlib.metadata
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from types import ModuleType
from typing import Any, TypeVar

import msgspec
import pluggy

from collecthub import hookspecs
from collecthub.errors import CollecthubError, ContractError, PermanentError
from collecthub.law.rules import CountryLaw
from collecthub.model.codes import StatusCode
from collecthub.ports import CaseFormat
from collecthub.registers import ConnectorSpec, JurisdictionPack

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = "collecthub"
IMPORT_SECONDS = 20.0
HOOK_SECONDS = 10.0


class PluginState(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one plugin at start."""

    name: str
    distribution: str
    version: str
    is_loaded: bool
    problem: str = ""
    connectors: tuple[str, ...] = ()


class PluginSet:
    """The loaded plugins and what they handed over."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("collecthub")
        self._manager.add_hookspecs(hookspecs)
        self.states: dict[str, PluginState] = {}
        self.connectors: dict[str, ConnectorSpec] = {}
        self.formats: dict[str, CaseFormat] = {}
        self.codes: dict[str, dict[str, StatusCode]] = {}
        self.jurisdictions: dict[str, JurisdictionPack] = {}
        self._laws: dict[str, CountryLaw] = {}

    def add(self, name: str, module: object, distribution: str = "collecthub", version: str = "") -> None:
        """Register a plugin and take what it hands over; a failure is kept as its state."""
        try:
            self._manager.register(module, name=name)
            self._manager.check_pending()
            kinds = self._take(name)
            problem = ""
        except (CollecthubError, pluggy.PluginValidationError, ValueError) as error:
            kinds, problem = (), str(error)
            self.set_aside(name, problem)
        self.states[name] = PluginState(
            name=name,
            distribution=distribution,
            version=version,
            is_loaded=not problem,
            problem=problem,
            connectors=kinds,
        )

    def failed(self, name: str, distribution: str, version: str, problem: str) -> None:
        """Note a plugin that could not even be imported."""
        log.warning("plugin %s is disabled: %s", name, problem)
        self.states[name] = PluginState(
            name=name, distribution=distribution, version=version, is_loaded=False, problem=problem
        )

    def set_aside(self, name: str, problem: str) -> None:
        """Take a plugin out of every later hook call."""
        log.warning("plugin %s is disabled: %s", name, problem)
        if self._manager.has_plugin(name):
            self._manager.unregister(name=name)
        if name in self.states:
            self.states[name] = msgspec.structs.replace(self.states[name], is_loaded=False, problem=problem)

    def _take(self, name: str) -> tuple[str, ...]:
        specs = [spec for _, given in self.ask("register_connectors", only=name, loud=True) for spec in given]
        for spec in specs:
            if spec.kind in self.connectors:
                raise ContractError(
                    f"connector kind {spec.kind} is already taken", cure="Remove one of the two plugins."
                )
        self.connectors.update({spec.kind: spec for spec in specs})
        for _, formats in self.ask("register_case_formats", only=name, loud=True):
            self.formats.update({fmt.format_id: fmt for fmt in formats})
        for _, tables in self.ask("register_status_codes", only=name, loud=True):
            for vocabulary, rows in tables.items():
                self.codes.setdefault(vocabulary, {}).update({row.code: row for row in rows})
        for _, packs in self.ask("register_jurisdictions", only=name, loud=True):
            self._take_packs(packs)
        return tuple(spec.kind for spec in specs)

    def _take_packs(self, packs: Sequence[JurisdictionPack]) -> None:
        """Two packs of one country would give two answers: a second one has to say that it replaces the first."""
        for pack in packs:
            if pack.country in self.jurisdictions and not pack.replaces:
                raise ContractError(
                    f"the law of {pack.country} is already there", cure="Let the pack say that it replaces the other one."
                )
        self.jurisdictions.update({pack.country: pack for pack in packs})

    def country_law(self, country: str) -> CountryLaw:
        """The law of a country. Raises `PermanentError` where no pack knows it, `ContractError` where one is broken."""
        if country in self._laws:
            return self._laws[country]
        pack = self.jurisdictions.get(country)
        if pack is None:
            raise PermanentError(
                f"no country pack knows the law of {country[:8]!r}",
                cure=f"Packs: {' '.join(sorted(self.jurisdictions))}. A plugin can bring another one.",
            )
        law = call_with_deadline(pack.load, HOOK_SECONDS, f"the country pack of {country}")
        return self._laws.setdefault(country, law)

    def ask(
        self, hook: str, *, only: str | None = None, loud: bool = False, **arguments: Any
    ) -> Iterator[tuple[str, Any]]:
        """Every plugin's answer to a hook, each called alone. A failing one is skipped (or raised if `loud`)."""
        caller = getattr(self._manager.hook, hook)
        for impl in reversed(caller.get_hookimpls()):
            if only is not None and impl.plugin_name != only:
                continue
            given = {key: value for key, value in arguments.items() if key in impl.argnames}
            try:
                answer = call_with_deadline(impl.function, HOOK_SECONDS, f"{impl.plugin_name}.{hook}", **given)
            except CollecthubError as error:
                if loud:
                    raise
                log.warning("hook %s of plugin %s failed: %s", hook, impl.plugin_name, error)
                continue
            if answer is not None:
                yield impl.plugin_name, answer

    def ask_each(self, hook: str, items: Sequence[Mapping[str, Any]]) -> list[list[tuple[str, Any]]]:
        """Every plugin's answers to a hook for many items, by item: as `ask` for each of them, but handed over at once.

        A plugin that fails or hangs at one item is passed over for this item alone.
        """
        answers: list[list[tuple[str, Any]]] = [[] for _ in items]
        for impl in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            given = [{name: item[name] for name in impl.argnames if name in item} for item in items]
            said = _answers(impl.function, given, f"{impl.plugin_name}.{hook}")
            for place, answer in enumerate(said):
                if answer is not None:
                    answers[place].append((impl.plugin_name, answer))
        return answers


def load_plugins(bundled: Iterable[tuple[str, ModuleType]], disabled: Sequence[str] = ()) -> PluginSet:
    """The bundled plugins and every installed one of the entry-point group `collecthub`."""
    plugins = PluginSet()
    for name, module in bundled:
        plugins.add(name, module)
    for entry in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda item: item.name):
        dist = entry.dist.name if entry.dist else ""
        version = entry.dist.version if entry.dist else ""
        if entry.name in disabled:
            plugins.failed(entry.name, dist, version, "disabled in the settings")
            continue
        if entry.name in plugins.states:
            plugins.failed(f"{entry.name} ({dist})", dist, version, "another plugin has this name")
            continue
        try:
            module = call_with_deadline(entry.load, IMPORT_SECONDS, f"import of {entry.name}")
        except CollecthubError as error:
            plugins.failed(entry.name, dist, version, error.message)
            continue
        plugins.add(entry.name, module, dist, version)
    return plugins


class _Caller:
    """A thread for foreign calls. It is used again when its call has ended: a portfolio asks hooks by the 100,000."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], None], str]] = queue.SimpleQueue()
        threading.Thread(target=self._walk, daemon=True).start()

    def do(self, call: Callable[[], None], what: str) -> None:
        """Have one call made; `what` names the thread as long as it lasts."""
        self._work.put((call, what))

    def _walk(self) -> None:
        while True:
            call, threading.current_thread().name = self._work.get()
            call()
            del call  # an idle thread holds on to nobody's data
            _idle.append(self)


_idle: deque[_Caller] = deque()
os.register_at_fork(after_in_child=_idle.clear)  # threads stay behind


def _idle_caller() -> _Caller:
    try:
        return _idle.pop()
    except IndexError:
        return _Caller()


def call_with_deadline(function: Callable[..., T], seconds: float, what: str, **arguments: Any) -> T:
    """Call foreign code in another thread. Errors of ours pass; anything else is a broken promise.

    A call that hangs keeps its (daemon) thread; the caller gets a `ContractError` when the time is over.
    """
    try:
        return _begun(what, function, **arguments).result(timeout=seconds)
    except CollecthubError:
        raise
    except TimeoutError as error:
        raise ContractError(
            f"{what} did not answer within {seconds:g} seconds", cure="Restart the hub or disable the plugin."
        ) from error
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ContractError(
            f"{what} failed with {type(error).__name__}: {error}", cure="Report it to the plugin's author."
        ) from error


def _begun(what: str, function: Callable[..., T], **arguments: Any) -> Future[T]:
    """A foreign call that has begun in another thread."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(contextvars.Context().run(function, **arguments))
        except BaseException as error:  # noqa: BLE001  # foreign code may raise anything, SystemExit too
            future.set_exception(error)

    _idle_caller().do(run, what)
    return future


def _answers(function: Callable[..., Any], items: Sequence[Mapping[str, Any]], what: str) -> list[Any]:
    """One answer an item, None where there is none. No item may take longer than a hook may."""
    answers: list[Any] = []
    while len(answers) < len(items):
        walk = _Walk(function, items[len(answers) :], what)
        answers += walk.ended()
    return answers


class _Walk:
    """Foreign code on its way through items, in another thread."""

    def __init__(self, function: Callable[..., Any], items: Sequence[Mapping[str, Any]], what: str) -> None:
        self._function, self._items, self._what = function, items, what
        self._answers: list[Any] = []
        self._is_given_up = False

    def ended(self) -> list[Any]:
        """The answers up to the last item, or up to the one at which it hangs: it did not get further in time."""
        end = _begun(self._what, self._go)
        while not self._is_given_up:
            so_far = len(self._answers)
            try:
                end.result(timeout=HOOK_SECONDS)
                break
            except TimeoutError:
                self._is_given_up = len(self._answers) == so_far
        if self._is_given_up:
            log.warning("%s did not answer within %g seconds", self._what, HOOK_SECONDS)
            return [*self._answers, None]
        return self._answers

    def _go(self) -> None:
        for item in self._items:
            if self._is_given_up:
                return
            try:
                self._answers.append(self._function(**item))
            except BaseException as error:  # noqa: BLE001  # foreign code may raise anything, SystemExit too
                log.warning("%s failed with %s: %s", self._what, type(error).__name__, error)
                self._answers.append(None)


def call_port(
    function: Callable[..., T], *arguments: Any, what: str, seconds: float, connection_id: str
) -> T:
    """One outward call: deadline, timing, redacted log line, error translation.

    The log line names the call and the connection, never its arguments or results.
    """
    started = time.monotonic()
    outcome = "ok"
    try:
        return call_with_deadline(lambda: function(*arguments), seconds, what)
    except CollecthubError as error:
        outcome = type(error).__name__
        raise
    finally:
        log.info(
            "port %s connection=%s outcome=%s ms=%d",
            what, connection_id, outcome, (time.monotonic() - started) * 1000,
        )


def load_factory(spec: ConnectorSpec) -> Callable[..., object]:
    """The factory of a connector kind, imported on first use."""
    return call_with_deadline(spec.load, IMPORT_SECONDS, f"load of {spec.kind}")
