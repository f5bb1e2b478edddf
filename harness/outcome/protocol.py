"""The lines that a probe, perhaps a hostile one, prints in JSON or EDN."""

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

_LONGEST_LINE = 1 << 20
_LONGEST_TEXT = 1000
_LONGEST_FAULT = 500
_LONGEST_LIST = 64
_DEEPEST = 6
_MOST_EVIDENCE = 32 << 10  # of one map, as JSON
_FIRST_LINES, _LAST_LINES = 1000, 10_000  # a line per second: more than two hours
_MOST_FAULTS = 20
_MOST, _MOST_DIGITS = 2**63 - 1, 20
_NUMBERS_AS_TEXT = ("latency-infl", "cpu-sec", "cpu-ms/turn")
# edn_format raises its own errors, and lets those of its parsing code through, as for `#inst {}`.
_NOT_EDN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    TypeError,
    ValueError,
)


class CapsLine(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The caps that a probe read inside its box; None where there is no such limit.

    Unknown fields are ignored: later probes may add evidence.
    """

    cpus: Amount | None = None
    memory_bytes: Whole | None = None
    swap_bytes: Whole | None = None
    pids: Whole | None = None
    network: tuple[str, ...] | None = None


class ProgressLine(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The state of a cell at one moment: sessions, peaks so far, and the host's load.

    Args:
        host_cpus: Processors of the host.
        host_ms: Length of the period in which the host's load was measured.
        steal_ms: CPU time that the hypervisor stole in this period.
        others_cpu_ms: CPU time of everything outside this cgroup.
        pressure_ms: How long some task of the host waited for a CPU.
        supervisor_cpu_ms: CPU time of the supervisor: sampling, and forwarding output.
    """

    t_ms: Amount = 0.0
    done: Natural = 0
    deltas: Natural | None = None
    threads: Natural | None = None
    peak_threads: Natural | None = None
    peak_rss_mb: Amount | None = None
    peak_fds: Natural | None = None
    cpu_pct: Amount | None = None
    host_cpus: Natural | None = None
    host_ms: Amount | None = None
    steal_ms: Amount | None = None
    others_cpu_ms: Amount | None = None
    pressure_ms: Amount | None = None
    supervisor_cpu_ms: Amount | None = None


class WorkerExit(msgspec.Struct, frozen=True, kw_only=True, rename="kebab"):
    """The OUTCOME line: the supervisor's report of a worker with no clean end."""

    cause: str
    exit_code: Whole | None = None
    signal: Whole | None = None
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)
    stderr_tail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOutput:
    """The parsed output of one probe.

    Args:
        faults: One sentence for each unreadable CAPS, RESULT or OUTCOME line.
        torn: The same for PROGRESS, where the next line repeats all values.
    """

    caps: CapsLine | None = None
    progress: tuple[ProgressLine, ...] = ()
    result: Result | None = None
    worker_exit: WorkerExit | None = None
    faults: tuple[str, ...] = ()
    torn: tuple[str, ...] = ()


_KINDS: dict[str, type[Any]] = {
    "CAPS": CapsLine,
    "PROGRESS": ProgressLine,
    "RESULT": Result,
    "OUTCOME": WorkerExit,
}


def read_output(lines: Iterable[str]) -> ProbeOutput:
    """Parse a probe's standard output; skip lines without a word of the protocol.

    Args:
        lines: In order, without line ends.
    """
    bodies = {word: _Lines() for word in _KINDS}
    for line in lines:
        word, _, body = line.partition(" ")
        if word in bodies and body.lstrip().startswith("{"):
            bodies[word].add(body[:_LONGEST_LINE])
    faults: list[str] = []
    torn: list[str] = []
    read: dict[str, list[Any]] = {
        word: list(_convert(word, kept, torn if word == "PROGRESS" else faults))
        for word, kept in bodies.items()
    }
    results = bodies["RESULT"].count
    if results > 1:
        faults.append(f"{show_count(results)} RESULT lines, but a cell has only one")
    if dropped := bodies["PROGRESS"].dropped:
        torn.append(f"{show_count(dropped)} PROGRESS lines in the middle were skipped")
    return ProbeOutput(
        caps=next(iter(read["CAPS"]), None),
        progress=tuple(read["PROGRESS"]),
        result=next(iter(read["RESULT"]), None),
        worker_exit=next(reversed(read["OUTCOME"]), None),
        faults=_bounded(faults),
        torn=_bounded(torn),
    )


def cut_text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Cut a text to a length; `…` marks the cut."""
    return text if len(text) <= longest else f"{text[:longest]}…"


class _Lines:
    """The first and the last lines of one word, in bounded memory."""

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
    """Yield the record of each readable line, and add the others to `faults`."""
    for body in bodies:
        try:
            yield msgspec.convert(_cut_map(_read_map(body)), _KINDS[word])
        except (ValueError, msgspec.ValidationError) as error:
            faults.append(one_line(f"a {word} line cannot be read: {error}", _LONGEST_FAULT))


def _bounded(faults: list[str]) -> tuple[str, ...]:
    more = len(faults) - _MOST_FAULTS
    return (*faults[:_MOST_FAULTS], *([f"and {show_count(more)} more"] if more > 0 else ()))


def _cut_map(named: Mapping[str, object]) -> Mapping[str, object]:
    """Cut every text, list and map of a line, and drop evidence that is too large."""
    cut = {key[:_LONGEST_TEXT]: _cut(value, _DEEPEST) for key, value in named.items()}
    evidence = cut.get("evidence")
    if isinstance(evidence, dict) and len(json.dumps(evidence)) > _MOST_EVIDENCE:
        cut["evidence"] = {"left-out": "it was too large"}
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
    """Parse a map into JSON values without NaN, infinity and lone surrogates."""
    is_edn = body.lstrip().startswith("{:")
    try:
        loaded = _from_clojure(_read_edn(body)) if is_edn else json.loads(body)
        text = json.dumps(loaded, allow_nan=False, ensure_ascii=False, default=str)
    except (RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error
    named: dict[str, object] = json.loads(text.encode(errors="replace"), parse_int=_whole)
    return named


def _whole(digits: str) -> int:
    """Parse a whole number of at most 64 bits, which every JSON reader can hold."""
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
    """Convert a map of keywords to the JSON names: ``:cpu-sec "7.25"`` -> 7.25."""
    named = {str(key).removeprefix(":"): value for key, value in loaded.items()}
    for key in _NUMBERS_AS_TEXT:
        value = named.get(key)
        if isinstance(value, str):
            named[key] = float(value.rstrip("x×"))
    return named
