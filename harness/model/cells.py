"""One cell: its place in the plan, what its probe reported, how it ended."""

import msgspec

from harness.model.nouns import Drive, Outcome, Phase, Side
from harness.model.stored import Amount, Natural, Record, Whole


class Subject(Record, frozen=True, kw_only=True):
    """The runtime as a probe loaded it: its folder, version and source hash."""

    path: str
    version: str | None = None
    hash: str


class Result(Record, frozen=True, kw_only=True, rename={"c": "C"}):
    """The probe's RESULT. Times in ms, memory in MB or KB as the names say; absent numbers are None."""

    arm: str
    c: Natural
    ok: Natural
    errors: Natural
    vt: bool | None = None
    err_sample: str | None = msgspec.field(default=None, name="err-sample")
    wall_ms: Amount | None = msgspec.field(default=None, name="wall-ms")
    turns_total: Natural | None = msgspec.field(default=None, name="turns-total")
    nominal_turn_ms: Amount | None = msgspec.field(default=None, name="nominal-turn-ms")
    p50_session_ms: Amount | None = msgspec.field(default=None, name="p50-session-ms")
    p99_session_ms: Amount | None = msgspec.field(default=None, name="p99-session-ms")
    latency_infl: Amount | None = msgspec.field(default=None, name="latency-infl")
    cpu_sec: Amount | None = msgspec.field(default=None, name="cpu-sec")
    cpu_ms_per_turn: Amount | None = msgspec.field(default=None, name="cpu-ms/turn")
    peak_rss_mb: Amount | None = msgspec.field(default=None, name="peak-rss-mb")
    rss_kb_per_session: Amount | None = msgspec.field(default=None, name="rss-kb/sess")
    peak_threads: Natural | None = msgspec.field(default=None, name="peak-threads")
    deltas: Natural | None = None
    state_kb: Natural | None = msgspec.field(default=None, name="state-kb")
    schema: Natural | None = None
    procs: Natural | None = None
    workers: str | None = None
    pacing: str | None = None
    mock_lag_p99_ms: Amount | None = msgspec.field(default=None, name="mock-lag-p99-ms")
    base_rss_mb: Amount | None = msgspec.field(default=None, name="base-rss-mb")
    peak_fds: Natural | None = msgspec.field(default=None, name="peak-fds")
    throttled_ms: Amount | None = msgspec.field(default=None, name="throttled-ms")
    python: str | None = None
    subject: Subject | None = None


class Slot(Record, frozen=True, kw_only=True):
    """A cell's place in the plan.

    Args:
        level: Concurrency C.
        block: Which ABBA block of the level, from 0, counted on from the ladder to the decision; of a refinement, which repeat of the level.
        pair: Which pair of the block, 0 or 1; None for a cell that has no partner.
        attempt: 0, or 1 for the second run of an invalid cell.
        phase: What it is run for.
    """

    side: Side
    level: Natural
    block: Whole
    pair: Whole | None
    attempt: Natural = 0
    phase: Phase = Phase.LADDER


class Cell(Record, frozen=True, kw_only=True):
    """One run of one build at one level, and everything that was seen of it.

    Args:
        drive: None in results of schema 1.
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
    wall_s: Amount
    exit_code: Whole | None
    sessions_done: Natural | None
    peak_threads: Natural | None
    peak_rss_mb: Amount | None
    peak_fds: Natural | None
    result: Result | None
    evidence: dict[str, object]
    log: str
    drive: Drive | None = None


class Knee(Record, frozen=True, kw_only=True):
    """The bracket in which a side breaks: the last level that passed, the first that failed."""

    last_pass: int | None
    first_fail: int | None
    outcome: Outcome | None = None
    reason: str = ""
