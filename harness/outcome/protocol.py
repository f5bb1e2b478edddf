"""Reading what a probe printed: CAPS, PROGRESS, RESULT and OUTCOME lines, in JSON or EDN."""

import importlib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import msgspec

from harness.model.cells import Result
from harness.model.stored import Amount, Natural, Whole
from harness.model.text import one_line
from harness.model.units import show_count

_NUMBERS_AS_TEXT = ("latency-infl", "cpu-sec", "cpu-ms/turn")
_LONGEST_LINE = 1 << 20
_LONGEST_TEXT = 1000
_LONGEST_SAID = 500  # a line of standard error, or what is wrong with one of ours
_LONGEST_LIST = 64
_DEEPEST = 6
_MOST_EVIDENCE = 32 << 10  # of one map, as JSON
_FIRST_LINES, _LAST_LINES = 1000, 10_000  # PROGRESS comes once a second: more than two hours
_MOST_FAULTS = 20
_MOST, _MOST_DIGITS = 2**63 - 1, 20
# The parser lets what its own code stumbles over through, as in `#inst {}`.
_NOT_EDN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)


class BoxCaps(msgspec.Struct, frozen=True, kw_only=True):
    """The caps that a probe read of its own box; None where there is no such limit.

    Fields that are not named here are kept out, not refused: they are evidence, and evidence may grow.
    """

    cpus: Amount | None = None
    memory_bytes: Whole | None = msgspec.field(default=None, name="memory-bytes")
    swap_bytes: Whole | None = msgspec.field(default=None, name="swap-bytes")
    pids: Whole | None = None
    network: tuple[str, ...] | None = None


class ProgressLine(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of a cell at one moment: sessions done, peaks so far, and what the host did since the sessions started.

    Args:
        host_cpus: Processors of the host.
        host_ms: For how long account was taken of it.
        steal_ms: Processor time that a hypervisor took meanwhile.
        others_cpu_ms: Processor time that all but this cgroup used.
        pressure_ms: For how long some task of the host waited for a processor.
        supervisor_cpu_ms: What watching has cost so far, and handing on what the sessions print.
    """

    t_ms: Amount = msgspec.field(default=0.0, name="t-ms")
    done: Natural = 0
    errors: Natural = 0
    deltas: Natural | None = None
    threads: Natural | None = None
    peak_threads: Natural | None = msgspec.field(default=None, name="peak-threads")
    peak_rss_mb: Amount | None = msgspec.field(default=None, name="peak-rss-mb")
    peak_fds: Natural | None = msgspec.field(default=None, name="peak-fds")
    cpu_pct: Amount | None = msgspec.field(default=None, name="cpu-pct")
    host_cpus: Natural | None = msgspec.field(default=None, name="host-cpus")
    host_ms: Amount | None = msgspec.field(default=None, name="host-ms")
    steal_ms: Amount | None = msgspec.field(default=None, name="steal-ms")
    others_cpu_ms: Amount | None = msgspec.field(default=None, name="others-cpu-ms")
    pressure_ms: Amount | None = msgspec.field(default=None, name="pressure-ms")
    supervisor_cpu_ms: Amount | None = msgspec.field(default=None, name="supervisor-cpu-ms")


class Death(msgspec.Struct, frozen=True, kw_only=True):
    """The supervisor's account of a worker that did not end clean."""

    cause: str
    exit_code: Whole | None = msgspec.field(default=None, name="exit-code")
    signal: Whole | None = None
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)
    stderr_tail: tuple[str, ...] = msgspec.field(default=(), name="stderr-tail")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutput:
    """One probe's output, read.

    Args:
        faults: One sentence for each line that claims to be CAPS, RESULT or OUTCOME and cannot be read.
        torn: The same for PROGRESS, of which the next line says all that the last one did.
    """

    caps: BoxCaps | None = None
    progress: tuple[ProgressLine, ...] = ()
    result: Result | None = None
    death: Death | None = None
    faults: tuple[str, ...] = ()
    torn: tuple[str, ...] = ()


def read_output(lines: Iterable[str]) -> ProbeOutput:
    """Read a probe's standard output.

    Lines that begin with none of the protocol's words are passed over.

    Args:
        lines: In order, without their ends.
    """
    found = {word: _Lines() for word in _KINDS}
    for line in lines:
        word, _, body = line.partition(" ")
        if word in found and body.lstrip().startswith("{"):
            found[word].add(body[:_LONGEST_LINE])
    faults: list[str] = []
    torn: list[str] = []
    read: dict[str, list[Any]] = {
        word: list(_convert(word, kept, torn if word == "PROGRESS" else faults))
        for word, kept in found.items()
    }
    results = found["RESULT"].count
    if results > 1:
        faults.append(f"{show_count(results)} RESULT lines, where a cell has one")
    if dropped := found["PROGRESS"].dropped:
        torn.append(f"{show_count(dropped)} PROGRESS lines in the middle were passed over")
    return ProbeOutput(
        caps=read["CAPS"][0] if read["CAPS"] else None,
        progress=tuple(read["PROGRESS"]),
        result=read["RESULT"][0] if read["RESULT"] else None,
        death=read["OUTCOME"][-1] if read["OUTCOME"] else None,
        faults=_bounded(faults),
        torn=_bounded(torn),
    )


_KINDS: dict[str, type[Any]] = {
    "CAPS": BoxCaps,
    "PROGRESS": ProgressLine,
    "RESULT": Result,
    "OUTCOME": Death,
}


class _Lines:
    """The first and the last lines of one word, however many a process prints."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: deque[str] = deque(maxlen=_LAST_LINES)
        self.count = 0

    def add(self, body: str) -> None:
        self.count += 1
        (self._first if len(self._first) < _FIRST_LINES else self._last).append(body)

    @property
    def dropped(self) -> int:
        return self.count - len(self._first) - len(self._last)

    def __iter__(self) -> Iterator[str]:
        return chain(self._first, self._last)


def _convert(word: str, bodies: Iterable[str], faults: list[str]) -> Iterator[Any]:
    """Read the maps of a word; what is wrong with one goes to `faults`."""
    for body in bodies:
        try:
            yield msgspec.convert(_cut_map(_read_map(body)), _KINDS[word])
        except (ValueError, msgspec.ValidationError) as error:
            faults.append(one_line(f"a {word} line cannot be read: {error}", _LONGEST_SAID))


def _bounded(told: list[str]) -> tuple[str, ...]:
    more = len(told) - _MOST_FAULTS
    return (*told[:_MOST_FAULTS], *([f"and {show_count(more)} more"] if more > 0 else ()))


def cut_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Cut a text that may be of any length, and say so at its end."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def _cut_map(named: Mapping[str, object]) -> Mapping[str, object]:
    """Cut every text, list and map of a line, and leave out evidence that is still too much to keep."""
    cut = {key[:_LONGEST_TEXT]: _cut(value, _DEEPEST) for key, value in named.items()}
    evidence = cut.get("evidence")
    if isinstance(evidence, dict) and len(json.dumps(evidence)) > _MOST_EVIDENCE:
        cut["evidence"] = {"left-out": "it was too much to be kept"}
    return cut


def _cut(value: object, depth: int) -> object:
    if isinstance(value, str):
        return cut_text(value)
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        return None
    if isinstance(value, list):
        return [_cut(item, depth - 1) for item in value[:_LONGEST_LIST]]
    named = list(value.items())[:_LONGEST_LIST]
    return {str(key)[:_LONGEST_TEXT]: _cut(item, depth - 1) for key, item in named}


def _read_map(body: str) -> Mapping[str, object]:
    """Read a map into what JSON can hold: no NaN, no infinity, no half a character."""
    is_edn = body.lstrip().startswith("{:")
    try:
        loaded = _from_clojure(_read_edn(body)) if is_edn else json.loads(body)
        text = json.dumps(loaded, allow_nan=False, ensure_ascii=False, default=str)
    except (RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error
    named: dict[str, object] = json.loads(text.encode(errors="replace"), parse_int=_whole)
    return named


def _whole(digits: str) -> int:
    """Read a whole number of 64 bits: with a larger one nothing can be counted, and not every program can read it."""
    value = int(digits) if len(digits) <= _MOST_DIGITS else _MOST + 1
    if abs(value) > _MOST:
        msg = f"a whole number of {len(digits)} digits is too large"
        raise ValueError(msg)
    return value


def _read_edn(body: str) -> Mapping[object, object]:
    try:
        edn = importlib.import_module("edn_format")
    except ImportError:
        msg = "it is EDN, which needs: pip install 'escapement[clojure]'"
        raise ValueError(msg) from None
    try:
        loaded: Mapping[object, object] = edn.loads(body)
    except _NOT_EDN as error:
        msg = f"not EDN: {error}"
        raise ValueError(msg) from error
    return loaded


def _from_clojure(loaded: Mapping[object, object]) -> Mapping[str, object]:
    """Give a map of keywords the names and types of the JSON one: ``:latency-infl "3.18x"`` -> 3.18."""
    named = {str(key).removeprefix(":"): value for key, value in loaded.items()}
    for key in _NUMBERS_AS_TEXT:
        value = named.get(key)
        if isinstance(value, str):
            named[key] = float(value.rstrip("x×"))
    return named
