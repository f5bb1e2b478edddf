"""Sides, arms, outcomes and phases, and what a cell is given: a load, and caps."""

from enum import StrEnum

from harness.model.stored import Natural, Positive, Record


class Side(StrEnum):
    """Which of the two builds."""

    BASE = "base"
    BRANCH = "branch"

    @property
    def other(self) -> "Side":
        """The side that this one is compared with."""
        return Side.BRANCH if self is Side.BASE else Side.BASE


class Arm(StrEnum):
    """The shape of orchestration that is driven."""

    SC_CKPT = "sc-ckpt"
    SC_MEM = "sc-mem"
    HAND = "hand"


ARM_SHAPES = {
    Arm.SC_CKPT: "the runtime with checkpoints on disk and a transcript: the shape of production",
    Arm.SC_MEM: "the same with an in-memory store: isolates the cost of engine and queue",
    Arm.HAND: "a bare loop over the same mock, no runtime at all: the floor",
}


class Outcome(StrEnum):
    """How a cell ended."""

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
        """Whether the cell was ended by us, at its time limit."""
        return self in {Outcome.TIMEOUT_PROGRESSING, Outcome.TIMEOUT_STALLED}


class Purity(StrEnum):
    """What differs between the sides."""

    CHANGE = "change"
    SETTINGS = "settings"
    AA = "A/A"


class Phase(StrEnum):
    """What a cell is run for."""

    CHECK = "check"
    WARM_UP = "warm-up"
    LADDER = "ladder"
    REFINE = "refine"
    DECISION = "decision"

    @property
    def counts(self) -> bool:
        """Whether the cell says something about its side, beyond that it runs at all."""
        return self not in {Phase.CHECK, Phase.WARM_UP}


HOLDABLE = ("cpus", "memory", "swap", "pids", "network")
"""What a box may hold its cells to: three caps, no swap, no network. An engine holds them all."""

OPEN_FILES = 20_000
"""What a cell may hold open, on every engine, whatever its own default is."""


class Load(Record, frozen=True, kw_only=True):
    """What each session does: turns of a streamed answer, and what it carries."""

    turns: Natural = 6
    ttft_ms: Natural = 200
    tokens: Natural = 50
    tok_ms: Natural = 5
    qsleep_ms: Natural = 0
    state_kb: Natural = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """The probe's positional arguments after ARM and C.

        What is zero at the end is left to ``SCALE_QSLEEP_MS`` and ``SCALE_STATE_KB``, because an argument wins over the
        environment.
        """
        shown = [self.turns, self.ttft_ms, self.tokens, self.tok_ms]
        if self.qsleep_ms or self.state_kb:
            shown.append(self.qsleep_ms)
        if self.state_kb:
            shown.append(self.state_kb)
        return tuple(str(value) for value in shown)

    @property
    def nominal_turn_ms(self) -> int:
        """How long a turn takes when nothing is in its way, in ms."""
        return self.ttft_ms + self.tokens * self.tok_ms

    @property
    def nominal_session_s(self) -> float:
        """How long a session takes when nothing is in its way, in seconds."""
        return self.turns * self.nominal_turn_ms / 1000


class Caps(Record, frozen=True, kw_only=True):
    """The size of the box. `pids` None asks for no cap on processes and threads."""

    cpus: Positive = 2.0
    memory_bytes: Natural = 2 << 30
    pids: Natural | None = None
    timeout_s: Positive = 600.0


class Drive(Record, frozen=True, kw_only=True):
    """How cells are driven: the arm, and what they are given beside the image's own environment."""

    arm: Arm
    environment: dict[str, str]
