"""The checked arguments and environment of one run of the probe."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Pacing = Literal["sleep", "server"]
Clock = Literal["real", "virtual"]

ARM_NAMES = ("sc-ckpt", "sc-mem", "hand")

USAGE = """\
usage: python -m harness.probe ARM C [TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]]]

Run one arm at one concurrency and print CAPS, PROGRESS and RESULT lines.

  ARM         sc-ckpt | sc-mem | hand                             (default sc-mem)
  C           concurrent sessions, at least 1                     (100)
  TURNS       turns of each session, at least 1                   (6)
  TTFT_MS     from a request to its first token                   (400)
  TOKENS      tokens of each answer                               (150)
  TOK_MS      from a token to the next                            (20)
  QSLEEP_MS   0: the pump wakes on arrival; N: it polls each N ms (0)
  STATE_KB    opaque payload in each session's data               (0)

environment:
  SCALE_VT            1: an asyncio task a session; 0: an OS thread a session (1)
  SCALE_QSLEEP_MS     as QSLEEP_MS, which wins over it                        (0)
  SCALE_STATE_KB      as STATE_KB, which wins over it                         (0)
  SCALE_PACING        sleep: the next token is timed from this one;
                      server: tokens fall due on an absolute schedule         (sleep)
  SCALE_PROCS         worker processes that the sessions are dealt out to,
                      1 to 64 and at most C                                   (1)
  SCALE_SCRATCH       folder for what the sessions write, and left there;
                      without it, one for temporary files that is removed
  SCALE_CLOCK         real; virtual: time jumps to what is due next, for what
                      is counted and not timed: it needs SCALE_VT=1,
                      SCALE_PROCS=1 and no ESCAPEMENT_WORKERS=platform        (real)
  SCALE_INJECT_WORK     N: iterations of a fixed integer loop, each turn      (0)
  SCALE_INJECT_THREADS  N: idle OS threads that each session holds            (0)
  SCALE_INJECT_BYTES    N: bytes that each session holds                      (0)
  SCALE_INJECT_FAILING  N: every Nth session fails at its end; 0: none        (0)
  ESCAPEMENT_WORKERS  platform | virtual | auto, read by the runtime itself;
                      RESULT's `workers` says what was seen

Any other SCALE_* variable is a usage error.

Exit code: 0 with a RESULT, 2 for a usage error, otherwise the worker's own (137 stays 137)."""

_TOGGLES = (
    "SCALE_CLOCK",
    "SCALE_INJECT_BYTES",
    "SCALE_INJECT_FAILING",
    "SCALE_INJECT_THREADS",
    "SCALE_INJECT_WORK",
    "SCALE_PACING",
    "SCALE_PROCS",
    "SCALE_QSLEEP_MS",
    "SCALE_SCRATCH",
    "SCALE_STATE_KB",
    "SCALE_VT",
)
_MOST_PROCS = 64
_VIRTUAL_NEEDS = {
    "SCALE_VT": ("1",),
    "SCALE_PROCS": ("1",),
    "ESCAPEMENT_WORKERS": ("virtual", "auto"),
}

_DEFAULTS = ("sc-mem", "100", "6", "400", "150", "20", "0", "0")


class UsageError(Exception):
    """An argument or a toggle that the probe refuses, with a one-line message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A known regression that is injected into the run; by default none.

    Args:
        work: Iterations of a fixed integer loop at the end of each turn.
        threads: Idle OS threads that each session holds for its life.
        held_bytes: Bytes that each session holds for its life, rounded up to a whole number of 8.
        failing: Every how manyth session fails at its end; 0 for none.
    """

    work: int = 0
    threads: int = 0
    held_bytes: int = 0
    failing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One run of the probe.

    Args:
        sessions: Concurrency C, at least 1.
        turns: Turns of each session, at least 1.
        ttft_ms: From a request to its first token.
        tokens: Tokens of each answer.
        tok_ms: From a token to the next.
        qsleep_ms: How often the runtime's pump polls; 0 wakes on arrival.
        state_kb: Opaque payload in each session's data.
        is_virtual: An asyncio task a session, else an OS thread.
        pacing: What the next token is timed from.
        procs: Worker processes, 1 to 64 and at most one a session.
        scratch: Where the sessions write; None for a folder for temporary files.
        injection: What is added to it that should be seen in the results.
        clock: Whether time passes, or jumps to what is due next.
    """

    arm: str
    sessions: int
    turns: int
    ttft_ms: int
    tokens: int
    tok_ms: int
    qsleep_ms: int
    state_kb: int
    is_virtual: bool
    pacing: Pacing
    procs: int
    scratch: Path | None
    injection: Injection
    clock: Clock

    def indices_of(self, shard: int) -> range:
        """Return the sessions that belong to one of the worker processes."""
        return range(shard, self.sessions, self.procs)

    @property
    def nominal_turn_ms(self) -> int:
        """The nominal time of a turn, in ms."""
        return self.ttft_ms + self.tokens * self.tok_ms


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read and check the settings of a run.

    Args:
        arguments: The words after the program's name; each may be left out, from the end.
        environment: Where the toggles are looked up; an empty one counts as not set.

    Raises:
        UsageError: A word that is not understood, out of its range or not available in this version.
    """
    if len(arguments) > len(_DEFAULTS):
        msg = f"{len(arguments)} arguments, and at most {len(_DEFAULTS)} are taken; see --help"
        raise UsageError(msg)
    _check_toggles(environment)
    words = (*arguments, *_DEFAULTS[len(arguments) :])
    pacing = _toggle(environment, "SCALE_PACING", ("sleep", "server"))
    sessions = _whole("C", words[1], least=1)
    clock = _clock(environment)
    return Settings(
        arm=_one_of("ARM", words[0], ARM_NAMES),
        sessions=sessions,
        turns=_whole("TURNS", words[2], least=1),
        ttft_ms=_whole("TTFT_MS", words[3]),
        tokens=_whole("TOKENS", words[4]),
        tok_ms=_whole("TOK_MS", words[5]),
        qsleep_ms=_either("QSLEEP_MS", arguments[6:7], environment),
        state_kb=_either("STATE_KB", arguments[7:8], environment),
        is_virtual=_toggle(environment, "SCALE_VT", ("1", "0")) == "1",
        pacing="server" if pacing == "server" else "sleep",
        procs=_procs(environment.get("SCALE_PROCS") or "1", sessions),
        scratch=_scratch(environment.get("SCALE_SCRATCH") or ""),
        injection=Injection(
            work=_injected("WORK", environment),
            threads=_injected("THREADS", environment),
            held_bytes=_injected("BYTES", environment),
            failing=_injected("FAILING", environment),
        ),
        clock=clock,
    )


def _either(name: str, argument: Sequence[str], environment: Mapping[str, str]) -> int:
    """Read what may come as an argument, which wins, or as a toggle; 0 for neither."""
    if argument:
        return _whole(name, argument[0])
    return _whole(f"SCALE_{name}", environment.get(f"SCALE_{name}") or "0")


def _injected(what: str, environment: Mapping[str, str]) -> int:
    name = f"SCALE_INJECT_{what}"
    return _whole(name, environment.get(name) or "0")


def _check_toggles(environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if name.startswith("SCALE_") and name not in _TOGGLES and environment[name]:
            msg = f"{name} is no toggle; there are {', '.join(_TOGGLES)}"
            raise UsageError(msg)
    _toggle(environment, "ESCAPEMENT_WORKERS", ("platform", "virtual", "auto"))


def _clock(environment: Mapping[str, str]) -> Clock:
    """Read the clock; the virtual one allows no threads or further processes."""
    if _toggle(environment, "SCALE_CLOCK", ("real", "virtual")) == "real":
        return "real"
    for name, needed in _VIRTUAL_NEEDS.items():
        word = environment.get(name) or needed[0]
        if word not in needed:
            msg = f"{name} is {word!r}; allowed with SCALE_CLOCK=virtual: {', '.join(needed)}"
            raise UsageError(msg)
    return "virtual"


def _procs(word: str, sessions: int) -> int:
    procs = _whole("SCALE_PROCS", word, least=1)
    if procs > min(_MOST_PROCS, sessions):
        msg = (
            f"SCALE_PROCS is {word!r}; allowed: 1 to {_MOST_PROCS}, and at most C, here {sessions}"
        )
        raise UsageError(msg)
    return procs


def _scratch(word: str) -> Path | None:
    if word and not os.access(word, os.R_OK | os.W_OK | os.X_OK):
        msg = f"SCALE_SCRATCH is {word!r}; allowed: a folder that can be written to"
        raise UsageError(msg)
    return Path(word) if word else None


def _toggle(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    return _one_of(name, environment.get(name) or allowed[0], allowed)


def _one_of(name: str, word: str, allowed: tuple[str, ...]) -> str:
    if word not in allowed:
        msg = f"{name} is {word!r}; allowed: {', '.join(allowed)}"
        raise UsageError(msg)
    return word


def _whole(name: str, word: str, *, least: int = 0) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 9 and int(word) >= least):
        msg = f"{name} is {word!r}; allowed: a whole number of at least {least}, up to 9 digits"
        raise UsageError(msg)
    return int(word)
