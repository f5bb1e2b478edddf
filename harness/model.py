"""The nouns of the bench: what is run, on what, and what came of it."""

from enum import StrEnum
from typing import Literal

import msgspec


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that is stored: immutable, and strict about its fields."""


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


class Load(_Record, frozen=True, kw_only=True):
    """What each session does: turns of a streamed answer, and what it carries."""

    turns: int = 6
    ttft_ms: int = 200
    tokens: int = 50
    tok_ms: int = 5
    qsleep_ms: int = 0
    state_kb: int = 0

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
    def nominal_session_s(self) -> float:
        """How long a session takes when nothing is in its way, in seconds."""
        return self.turns * (self.ttft_ms + self.tokens * self.tok_ms) / 1000


class Caps(_Record, frozen=True, kw_only=True):
    """The size of the box. `pids` None leaves the number of processes and threads to the host."""

    cpus: float = 2.0
    memory_bytes: int = 2 << 30
    pids: int | None = None
    timeout_s: float = 600.0


class Subject(_Record, frozen=True, kw_only=True):
    """The runtime as a probe loaded it: its folder, version and source hash."""

    path: str
    version: str | None = None
    hash: str


class Result(_Record, frozen=True, kw_only=True, rename={"c": "C"}):
    """The probe's RESULT. Times in ms, memory in MB or KB as the names say; absent numbers are None."""

    arm: str
    c: int
    ok: int
    errors: int
    vt: bool | None = None
    err_sample: str | None = msgspec.field(default=None, name="err-sample")
    wall_ms: float | None = msgspec.field(default=None, name="wall-ms")
    turns_total: int | None = msgspec.field(default=None, name="turns-total")
    nominal_turn_ms: float | None = msgspec.field(default=None, name="nominal-turn-ms")
    p50_session_ms: float | None = msgspec.field(default=None, name="p50-session-ms")
    p99_session_ms: float | None = msgspec.field(default=None, name="p99-session-ms")
    latency_infl: float | None = msgspec.field(default=None, name="latency-infl")
    cpu_sec: float | None = msgspec.field(default=None, name="cpu-sec")
    cpu_ms_per_turn: float | None = msgspec.field(default=None, name="cpu-ms/turn")
    peak_rss_mb: float | None = msgspec.field(default=None, name="peak-rss-mb")
    rss_kb_per_session: float | None = msgspec.field(default=None, name="rss-kb/sess")
    peak_threads: int | None = msgspec.field(default=None, name="peak-threads")
    deltas: int | None = None
    state_kb: int | None = msgspec.field(default=None, name="state-kb")
    schema: int | None = None
    procs: int | None = None
    workers: str | None = None
    pacing: str | None = None
    mock_lag_p99_ms: float | None = msgspec.field(default=None, name="mock-lag-p99-ms")
    base_rss_mb: float | None = msgspec.field(default=None, name="base-rss-mb")
    peak_fds: int | None = msgspec.field(default=None, name="peak-fds")
    throttled_ms: float | None = msgspec.field(default=None, name="throttled-ms")
    python: str | None = None
    subject: Subject | None = None


class Slot(_Record, frozen=True, kw_only=True):
    """A cell's place in the plan.

    Args:
        level: Concurrency C; 1 with `block` -1 for the check before the ramp.
        block: Which ABBA block of the level, from 0.
        pair: Which pair of the block, 0 or 1; None where the other side has stopped.
        attempt: 0, or 1 for the second run of an invalid cell.
    """

    side: Side
    level: int
    block: int
    pair: int | None
    attempt: int = 0


class Cell(_Record, frozen=True, kw_only=True):
    """One run of one build at one level, and everything that was seen of it.

    Args:
        arm, environment: What was driven, and in which environment; None in results that are older than schema 2.
        reason: One phrase that names the limit or the fault; empty for ok.
        exit_code: The container's exit code; None where the engine knew none.
        sessions_done: Sessions that had ended when it was last heard of.
        peak_threads, peak_rss_mb, peak_fds: The RESULT's, else the last that was reported before the end.
        evidence: What the decision rests on, by source.
    """

    slot: Slot
    outcome: Outcome
    reason: str
    started_at: str
    wall_s: float
    exit_code: int | None
    sessions_done: int | None
    peak_threads: int | None
    peak_rss_mb: float | None
    peak_fds: int | None
    result: Result | None
    evidence: dict[str, object]
    log: str
    arm: Arm | None = None
    environment: dict[str, str] | None = None


class Drive(_Record, frozen=True, kw_only=True):
    """How cells are driven: the arm, and what they are given beside the image's own environment."""

    arm: Arm
    environment: dict[str, str]


class SideInfo(_Record, frozen=True, kw_only=True):
    """What one side was built from, which arm its cells drove, and the environment that they were given.

    Args:
        commit: Full hash; None outside a repository.
        dirty: Hash of what differs from the commit; None for a clean tree.
        subject, gauge, tree: SHA-256 over the runtime, over the probe and Dockerfile, over all of the context.
    """

    side: Side
    arm: Arm
    commit: str | None
    title: str
    dirty: str | None
    subject: str | None
    gauge: str | None
    tree: str | None
    image: str
    environment: dict[str, str]


class BoxInfo(_Record, frozen=True, kw_only=True):
    """Where the cells ran: the engine, and what of its host bears on the numbers."""

    box: str
    engine: str
    cgroup: str
    endpoint: str
    host: str
    host_cpus: int
    host_memory_bytes: int
    base_image: str
    warnings: tuple[str, ...] = ()


class RunInfo(_Record, frozen=True, kw_only=True):
    """Everything that was settled before the first cell.

    Args:
        blocks: ABBA blocks a level; in a run of kind `goals`, how often each cell is run.
        sides: The base first; one of a ramp; in a run of kind `goals` the one build, once for each way it is driven.
        goals: The keys of the goals that were asked for, in a run of that kind.
    """

    run_id: str
    started_at: str
    kind: Literal["compare", "ramp", "goals"]
    load: Load
    caps: Caps
    levels: tuple[int, ...]
    blocks: int
    sides: tuple[SideInfo, ...]
    purity: Purity | None
    how: str
    box: BoxInfo
    goals: tuple[str, ...] = ()

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms of the sides, the base's first; one where they are the same."""
        return tuple(dict.fromkeys(side.arm for side in self.sides))

    def name_of(self, side: Side) -> str:
        """Return what to call a side: with its arm where the other has another, and of one build alone just that."""
        if self.kind != "compare":
            return "the build"
        arm = next((info.arm for info in self.sides if info.side is side), None)
        return f"{side} ({arm})" if len(self.arms) > 1 else str(side)


class Knee(_Record, frozen=True, kw_only=True):
    """The bracket in which a side breaks: the last level that passed, the first that failed."""

    last_pass: int | None
    first_fail: int | None
    outcome: Outcome | None = None
    reason: str = ""
