"""Reading what a probe printed: CAPS, PROGRESS, RESULT and OUTCOME lines, in JSON or EDN."""

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.model import Result
from harness.model.stored import Amount, Count, Whole
from harness.printable import one_line

_NUMBERS_AS_TEXT = ("latency-infl", "cpu-sec", "cpu-ms/turn")
_LONGEST_LINE = 1 << 20
_LONGEST_FAULT = 300
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
    """

    t_ms: Amount = msgspec.field(default=0.0, name="t-ms")
    done: Count = 0
    errors: Count = 0
    deltas: Count | None = None
    threads: Count | None = None
    peak_threads: Count | None = msgspec.field(default=None, name="peak-threads")
    peak_rss_mb: Amount | None = msgspec.field(default=None, name="peak-rss-mb")
    peak_fds: Count | None = msgspec.field(default=None, name="peak-fds")
    cpu_pct: Amount | None = msgspec.field(default=None, name="cpu-pct")
    host_cpus: Count | None = msgspec.field(default=None, name="host-cpus")
    host_ms: Amount | None = msgspec.field(default=None, name="host-ms")
    steal_ms: Amount | None = msgspec.field(default=None, name="steal-ms")
    others_cpu_ms: Amount | None = msgspec.field(default=None, name="others-cpu-ms")
    pressure_ms: Amount | None = msgspec.field(default=None, name="pressure-ms")


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
    caps: list[BoxCaps] = []
    progress: list[ProgressLine] = []
    results: list[Result] = []
    deaths: list[Death] = []
    faults: list[str] = []
    torn: list[str] = []
    into: dict[str, tuple[list[Any], type[Any]]] = {
        "CAPS": (caps, BoxCaps),
        "PROGRESS": (progress, ProgressLine),
        "RESULT": (results, Result),
        "OUTCOME": (deaths, Death),
    }
    for line in lines:
        word, _, body = line.partition(" ")
        if word in into and body.lstrip().startswith("{"):
            found, kind = into[word]
            try:
                found.append(msgspec.convert(_read_map(body[:_LONGEST_LINE]), kind))
            except (ValueError, msgspec.ValidationError) as error:
                (torn if word == "PROGRESS" else faults).append(
                    one_line(f"a {word} line cannot be read: {error}", _LONGEST_FAULT)
                )
    if len(results) > 1:
        faults.append(f"{len(results)} RESULT lines, where a cell has one")
    return ProbeOutput(
        caps=caps[0] if caps else None,
        progress=tuple(progress),
        result=results[0] if results else None,
        death=deaths[-1] if deaths else None,
        faults=tuple(faults),
        torn=tuple(torn),
    )


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
