"""Sides, arms, outcomes and phases, and the load, caps and drive of a cell."""

from enum import StrEnum

from harness.model.stored import Natural, Positive, Record


class Side(StrEnum):
    """One of the two builds."""

    BASE = "base"
    BRANCH = "branch"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.BRANCH if self is Side.BASE else Side.BASE


class Arm(StrEnum):
    """The shape of orchestration under test."""

    SC_CKPT = "sc-ckpt"
    SC_MEM = "sc-mem"
    HAND = "hand"


class Outcome(StrEnum):
    """The end of a cell."""

    OK = "ok"
    ERRORS = "errors"
    OOM = "oom"
    THREADS = "threads"
    FDS = "fds"
    TIMEOUT_PROGRESSING = "timeout-progressing"
    TIMEOUT_STALLED = "timeout-stalled"
    CRASH = "crash"
    INVALID = "invalid"

    @property
    def is_timeout(self) -> bool:
        """True if the harness ended the cell at its time limit."""
        return self in {Outcome.TIMEOUT_PROGRESSING, Outcome.TIMEOUT_STALLED}


class Purity(StrEnum):
    """The kind of difference between the sides."""

    CHANGE = "change"
    SETTINGS = "settings"
    AA = "A/A"


class Phase(StrEnum):
    """The purpose of a cell."""

    CHECK = "check"
    WARM_UP = "warm-up"
    LADDER = "ladder"
    REFINE = "refine"
    DECISION = "decision"

    @property
    def counts(self) -> bool:
        """True if cells of this phase are part of the figures."""
        return self not in {Phase.CHECK, Phase.WARM_UP}


HOLDABLE = ("cpus", "memory", "swap", "pids", "network")
"""Limits that a box may enforce: three caps, no swap, no network."""

OPEN_FILES = 20_000
"""Limit of open files per process of a cell, in every box."""


class Load(Record, frozen=True, kw_only=True):
    """The work of each session: turns of a streamed answer, and its state."""

    turns: Natural = 6
    ttft_ms: Natural = 200
    tokens: Natural = 50
    tok_ms: Natural = 5
    qsleep_ms: Natural = 0
    state_kb: Natural = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """Positional arguments of the probe, after ARM and C.

        Trailing zeros are left out: an argument would override ``SCALE_QSLEEP_MS`` or ``SCALE_STATE_KB``.
        """
        rest = [self.qsleep_ms, self.state_kb]
        while rest and not rest[-1]:
            rest.pop()
        return tuple(map(str, (self.turns, self.ttft_ms, self.tokens, self.tok_ms, *rest)))

    @property
    def nominal_turn_ms(self) -> int:
        """Duration of an undisturbed turn, in ms."""
        return self.ttft_ms + self.tokens * self.tok_ms

    @property
    def nominal_session_s(self) -> float:
        """Duration of an undisturbed session, in seconds."""
        return self.turns * self.nominal_turn_ms / 1000


class Caps(Record, frozen=True, kw_only=True):
    """The size of the box; no cap on processes and threads if `pids` is None."""

    cpus: Positive = 2.0
    memory_bytes: Natural = 2 << 30
    pids: Natural | None = None
    timeout_s: Positive = 600.0


class Drive(Record, frozen=True, kw_only=True):
    """The arm of a cell, and its environment in addition to that of the image."""

    arm: Arm
    environment: dict[str, str]
