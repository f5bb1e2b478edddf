"""One cell: its slot in the plan, the RESULT of its probe, and its outcome."""

import msgspec

from harness.model.nouns import Drive, Outcome, Phase, Side
from harness.model.stored import Amount, Natural, Record, Whole


class Subject(Record, frozen=True, kw_only=True):
    """The runtime that a probe loaded: folder, version and hash of its sources."""

    path: str
    version: str | None = None
    hash: str


class Result(Record, frozen=True, kw_only=True, rename={"c": "C"}):
    """The RESULT of a probe; None for a number that is absent."""

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
    """The place of a cell in the plan.

    Args:
        level: Concurrency C.
        block: ABBA block of the level, from 0; the decision continues the numbers of the ladder. In refinement, repeat of the level.
        pair: 0 or 1 within the block; None for a cell without a partner.
        attempt: 0, or 1 for the retry of an invalid cell.
    """

    side: Side
    level: Natural
    block: Whole
    pair: Whole | None
    attempt: Natural = 0
    phase: Phase = Phase.LADDER


class Cell(Record, frozen=True, kw_only=True):
    """One run of one build at one level.

    Args:
        reason: The limit or the fault in one phrase; empty for ok.
        exit_code: None if the engine did not report one.
        sessions_done: Sessions that had ended at the last report of the probe.
        peak_threads, peak_rss_mb, peak_fds: From the RESULT, or from the last report before the end.
        evidence: Grounds of the outcome, by source.
        drive: None in results of schema 1.
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
    """The bracket of a side's breaking point: last level passed, first level failed."""

    last_pass: int | None
    first_fail: int | None
    outcome: Outcome | None = None
    reason: str = ""
