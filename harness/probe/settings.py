"""The settings of one run: the probe's arguments and environment variables, checked."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

Pacing = Literal["sleep", "server"]
Clock = Literal["real", "virtual"]

ARM_NAMES = ("sc-ckpt", "sc-mem", "hand")

USAGE = """\
usage: python -m harness.probe ARM C [TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]]]

Run one arm at one concurrency and print CAPS, PROGRESS and RESULT lines.

  ARM         sc-ckpt | sc-mem | hand                             (default sc-mem)
  C           concurrent sessions, at least 1                     (100)
  TURNS       turns of each session, at least 1                   (6)
  TTFT_MS     time from a request to its first token              (400)
  TOKENS      tokens of each answer                               (150)
  TOK_MS      time from a token to the next                       (20)
  QSLEEP_MS   0: the pump wakes on arrival; N: polls every N ms   (0)
  STATE_KB    opaque payload in each session's data               (0)

environment:
  SCALE_VT            1: an asyncio task a session; 0: an OS thread a session (1)
  SCALE_QSLEEP_MS     same as QSLEEP_MS; the argument wins                    (0)
  SCALE_STATE_KB      same as STATE_KB; the argument wins                     (0)
  SCALE_PACING        sleep: the next token is timed from the last delivery;
                      server: tokens are due on an absolute schedule          (sleep)
  SCALE_PROCS         worker processes that share the sessions: 1 to 64,
                      at most C                                               (1)
  SCALE_SCRATCH       folder for the sessions' files, which are kept;
                      unset: a temporary folder, removed at the end
  SCALE_CLOCK         real; virtual: time jumps to the next timer, for exact
                      counts instead of timings. It needs SCALE_VT=1,
                      SCALE_PROCS=1 and no ESCAPEMENT_WORKERS=platform        (real)
  SCALE_INJECT_WORK     N: iterations of a fixed integer loop in each turn    (0)
  SCALE_INJECT_THREADS  N: idle OS threads that each session holds            (0)
  SCALE_INJECT_BYTES    N: bytes that each session holds                      (0)
  SCALE_INJECT_FAILING  N: every Nth session fails at its end; 0: none        (0)
  ESCAPEMENT_WORKERS  platform | virtual | auto, read by the runtime;
                      `workers` in RESULT is the observed kind

Any other SCALE_* variable is a usage error.

Exit code: 0 with a RESULT, 2 for a usage error, else the worker's own (137 stays 137)."""

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
_MAX_PROCS = 64
_VIRTUAL_NEEDS = {
    "SCALE_VT": ("1",),
    "SCALE_PROCS": ("1",),
    "ESCAPEMENT_WORKERS": ("virtual", "auto"),
}
_DEFAULTS = ("sc-mem", "100", "6", "400", "150", "20", "0", "0")
Word = TypeVar("Word", bound=str)


class UsageError(Exception):
    """An argument or toggle is not valid; its text is one line for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """An injected regression: proves that a gate detects it. Empty by default.

    Args:
        work: Iterations of a fixed integer loop at the end of each turn.
        threads: Idle OS threads that each session holds.
        held_bytes: Bytes that each session holds, rounded up to a multiple of 8.
        failing: Every Nth session fails at its end; 0 for none.
    """

    work: int = 0
    threads: int = 0
    held_bytes: int = 0
    failing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one run.

    Args:
        sessions: Concurrency C, at least 1.
        turns: Turns of each session, at least 1.
        ttft_ms: Time from a request to its first token.
        tokens: Tokens of each answer.
        tok_ms: Time from a token to the next.
        qsleep_ms: Polling interval of the runtime's pump; 0 wakes it on arrival.
        state_kb: Opaque payload in each session's data.
        is_virtual: True for an asyncio task per session, False for an OS thread.
        procs: Worker processes, 1 to 64 and at most one per session.
        scratch: Folder for the sessions' files; None for a temporary one.
        clock: A virtual clock jumps to the next timer instead of waiting.
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
        """Return the sessions of one worker process."""
        return range(shard, self.sessions, self.procs)

    @property
    def nominal_turn_ms(self) -> int:
        """Return the duration of an undisturbed turn."""
        return self.ttft_ms + self.tokens * self.tok_ms


def read_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Read and check the settings of a run.

    Args:
        arguments: The command line; defaults replace missing words at its end.
        environment: The toggles; an empty one counts as unset.

    Raises:
        UsageError: An argument or toggle is unknown or out of range.
    """
    if len(arguments) > len(_DEFAULTS):
        msg = f"{len(arguments)} arguments; at most {len(_DEFAULTS)} are allowed; see --help"
        raise UsageError(msg)
    _check_toggles(environment)
    words = (*arguments, *_DEFAULTS[len(arguments) :])
    sessions = _whole("C", words[1], least=1)
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
        pacing=_toggle(environment, "SCALE_PACING", ("sleep", "server")),
        procs=_procs(environment.get("SCALE_PROCS") or "1", sessions),
        scratch=_scratch(environment.get("SCALE_SCRATCH") or ""),
        injection=Injection(
            work=_whole_toggle(environment, "SCALE_INJECT_WORK"),
            threads=_whole_toggle(environment, "SCALE_INJECT_THREADS"),
            held_bytes=_whole_toggle(environment, "SCALE_INJECT_BYTES"),
            failing=_whole_toggle(environment, "SCALE_INJECT_FAILING"),
        ),
        clock=_clock(environment),
    )


def _check_toggles(environment: Mapping[str, str]) -> None:
    for name in sorted(environment):
        if name.startswith("SCALE_") and name not in _TOGGLES and environment[name]:
            msg = f"{name} is not a toggle; allowed: {', '.join(_TOGGLES)}"
            raise UsageError(msg)
    _toggle(environment, "ESCAPEMENT_WORKERS", ("platform", "virtual", "auto"))


def _clock(environment: Mapping[str, str]) -> Clock:
    """Read the clock; a virtual one excludes other threads and processes."""
    if _toggle(environment, "SCALE_CLOCK", ("real", "virtual")) == "real":
        return "real"
    for name, allowed in _VIRTUAL_NEEDS.items():
        word = environment.get(name) or allowed[0]
        if word not in allowed:
            msg = f"{name} is {word!r}; allowed with SCALE_CLOCK=virtual: {', '.join(allowed)}"
            raise UsageError(msg)
    return "virtual"


def _procs(word: str, sessions: int) -> int:
    procs = _whole("SCALE_PROCS", word, least=1)
    if procs > min(_MAX_PROCS, sessions):
        msg = (
            f"SCALE_PROCS is {word!r}; allowed: 1 to {_MAX_PROCS}, and at most C, here {sessions}"
        )
        raise UsageError(msg)
    return procs


def _scratch(word: str) -> Path | None:
    if word and not os.access(word, os.R_OK | os.W_OK | os.X_OK):
        msg = f"SCALE_SCRATCH is {word!r}; allowed: a writable folder"
        raise UsageError(msg)
    return Path(word) if word else None


def _either(name: str, argument: Sequence[str], environment: Mapping[str, str]) -> int:
    """Read a number from its argument, else from its toggle; 0 without either."""
    if argument:
        return _whole(name, argument[0])
    return _whole_toggle(environment, f"SCALE_{name}")


def _whole_toggle(environment: Mapping[str, str], name: str) -> int:
    return _whole(name, environment.get(name) or "0")


def _toggle(environment: Mapping[str, str], name: str, allowed: tuple[Word, ...]) -> Word:
    return _one_of(name, environment.get(name) or allowed[0], allowed)


def _one_of(name: str, word: str, allowed: tuple[Word, ...]) -> Word:
    for each in allowed:
        if word == each:
            return each
    msg = f"{name} is {word!r}; allowed: {', '.join(allowed)}"
    raise UsageError(msg)


def _whole(name: str, word: str, *, least: int = 0) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 9 and int(word) >= least):
        msg = f"{name} is {word!r}; allowed: a whole number of at least {least}, up to 9 digits"
        raise UsageError(msg)
    return int(word)
