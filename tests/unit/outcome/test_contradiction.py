"""Impossible RESULTs are reported, honest ones are not."""

from collections.abc import Mapping

import pytest
from msgspec import structs

from harness.model.cells import Result
from harness.model.nouns import Caps, Load, Outcome
from harness.outcome.contradiction import find_contradiction
from harness.outcome.protocol import ProbeOutput, ProgressLine
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

LOAD = Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)
HONEST = make_result(
    500,
    wall_ms=4100.0,
    turns_total=3000,
    nominal_turn_ms=450.0,
    p50_session_ms=4050.0,
    p99_session_ms=4090.0,
    latency_infl=1.5,
    cpu_sec=6.0,
    cpu_ms_per_turn=2.0,
    peak_rss_mb=100.0,
    rss_kb_per_session=204.8,
    peak_threads=8,
    deltas=150_000,
    procs=1,
)
REQUEST = "its RESULT contradicts the request: "
ITSELF = "its RESULT contradicts itself: "
BOX = "its RESULT contradicts the box: "


def _find(result: Result, box: Mapping[str, object] | None = None) -> str:
    observation = make_observation(result, wall_s=5.0, box_evidence=box or {})
    return find_contradiction(observation, 500, LOAD, "sc-mem")


def test_contradiction_is_none_in_an_honest_result() -> None:
    """The box measures a little more than the worker alone uses."""
    box = {"cpu-ms": 6400.0, "pids-peak": 9, "rss-peak-bytes": 110 << 20}
    assert _find(HONEST, box) == ""


def test_contradiction_ignores_missing_figures() -> None:
    """A cell without a RESULT passes, and so do missing figures."""
    bare = Result(arm="sc-mem", c=500, ok=500, errors=0)
    assert _find(bare, {"cpu-ms": 9e9, "pids-peak": 9999, "rss-peak-bytes": 1 << 40}) == ""
    assert find_contradiction(make_observation(), 500, LOAD, "sc-mem") == ""
    assert _find(HONEST, {"cpu-ms": None, "pids-peak": "many"}) == ""


def test_contradiction_makes_a_cell_invalid() -> None:
    """A RESULT that contradicts the request is no result."""
    observation = make_observation(structs.replace(HONEST, deltas=7))
    assert decide(observation, Caps(), 500)[0] == "ok", "without a request nothing is checked"
    outcome, reason = decide(observation, Caps(), 500, load=LOAD, arm="sc-mem")
    assert (outcome.value, reason) == (
        "invalid",
        f"{REQUEST}7 tokens delivered, 150,000 requested",
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"arm": "hand"}, "its RESULT is of another arm: 'hand', not sc-mem"),
        ({"turns_total": 2999}, f"{REQUEST}2,999 turns, 3,000 requested"),
        (
            {"nominal_turn_ms": 100.0},
            f"{REQUEST}a turn of 100 ms, 450 ms requested",
        ),
        ({"deltas": 150_001}, f"{REQUEST}150,001 tokens delivered, 150,000 requested"),
        (
            {"wall_ms": 2000.0},
            f"{REQUEST}a wall time of 2,000 ms, but the model alone takes 2,700 ms",
        ),
        (
            {"p50_session_ms": 900.0},
            f"{REQUEST}a median session of 900 ms, but the model alone takes 2,700 ms",
        ),
        (
            {"p99_session_ms": 4000.0},
            f"{ITSELF}a median session of 4,050 ms, but a 99th percentile of 4,000 ms",
        ),
        (
            {"p99_session_ms": 9000.0},
            f"{ITSELF}sessions of 9,000 ms in a wall time of 4,100 ms",
        ),
        ({"cpu_ms_per_turn": 1.0}, f"{ITSELF}cpu-ms/turn 1, but its own figures give 2"),
        ({"latency_infl": 1.0}, f"{ITSELF}latency-infl 1, but its own figures give 1.5"),
        (
            {"rss_kb_per_session": 20.0},
            f"{ITSELF}rss-kb/sess 20, but its own figures give 204.8",
        ),
        ({"wall_ms": 9000.0}, f"{BOX}a wall time of 9.0 s in a cell of 5.0 s"),
    ],
)
def test_contradiction_names_the_figure(changes: dict[str, object], sentence: str) -> None:
    """A figure is checked against the request, the other figures and the wall clock."""
    assert _find(structs.replace(HONEST, **changes)) == sentence


@pytest.mark.parametrize(
    ("box", "sentence"),
    [
        ({"cpu-ms": 20_000.0}, f"{BOX}6.0 s of CPU, but the box used 20.0 s"),
        ({"pids-peak": 4000}, f"{BOX}at most 8 threads, but the box had 4,000"),
        (
            {"rss-peak-bytes": 1 << 30},
            f"{BOX}at most 100 MiB of memory, but the box had 1 GiB",
        ),
    ],
)
def test_contradiction_reports_less_than_the_box_measured(
    box: dict[str, object], sentence: str
) -> None:
    """Figures that are too low would make a side look cheap."""
    assert _find(HONEST, box) == sentence


@pytest.mark.parametrize(
    ("box", "procs"),
    [
        ({"cpu-ms": 13_500.0}, 1),
        ({"pids-peak": 50}, 1),
        ({"rss-peak-bytes": 260 << 20}, 1),
        ({"cpu-ms": 40_000.0, "pids-peak": 300}, 64),
    ],
)
def test_contradiction_allows_for_the_supervisor(box: dict[str, object], procs: int) -> None:
    """Starting and sampling raise only the box's figures."""
    assert _find(structs.replace(HONEST, procs=procs), box) == ""


@pytest.mark.parametrize(
    ("deltas", "is_reported"), [(150_000, False), (149_700, False), (149_699, True)]
)
def test_contradiction_allows_tokens_of_failed_sessions(deltas: int, *, is_reported: bool) -> None:
    """Each ok session got all its tokens; failed sessions may have got some."""
    result = structs.replace(HONEST, ok=499, errors=1, turns_total=2994, deltas=deltas)
    result = structs.replace(result, cpu_ms_per_turn=None)
    assert bool(_find(result)) == is_reported


def test_contradiction_ignores_the_usage_of_failed_sessions() -> None:
    """Children that a failed session started count in the box, not in the worker."""
    result = structs.replace(HONEST, ok=499, errors=1, turns_total=2994, cpu_ms_per_turn=None)
    assert _find(result, {"pids-peak": 4000, "rss-peak-bytes": 1 << 30}) == ""


def test_contradiction_allows_a_short_run_without_ok_sessions() -> None:
    """Sessions that fail at once take no time."""
    result = structs.replace(
        make_result(500, ok=0, errors=500), wall_ms=3.0, turns_total=0, deltas=0
    )
    assert _find(structs.replace(result, cpu_ms_per_turn=None, latency_infl=None)) == ""


def test_contradiction_allows_for_rounding() -> None:
    """A probe of another language prints hundredths of a second and of a factor."""
    result = make_result(
        1, cpu_sec=0.01, cpu_ms_per_turn=14.2, turns_total=1, nominal_turn_ms=3.0, wall_ms=4.0
    )
    result = structs.replace(result, p50_session_ms=3.0, latency_infl=1.12, peak_rss_mb=None)
    load = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
    assert find_contradiction(make_observation(result), 1, load, "") == ""


@pytest.mark.parametrize("code", [1, 137, 143])
def test_result_before_a_failing_exit_code_is_invalid(code: int) -> None:
    """A runtime may forge a RESULT and kill the supervisor before it prints its own."""
    observation = make_observation(HONEST, exit_code=code, wall_s=5.0)
    reason = f"it printed a RESULT, then ended with exit code {code}"
    decision = decide(observation, Caps(), 500, load=LOAD, arm="sc-mem")
    assert decision == (Outcome.INVALID, reason)


@pytest.mark.parametrize(
    ("supervisor_ms", "wall_ms", "sentence"),
    [
        (6000.0, 4100.0, ""),
        (100.0, 4100.0, f"{BOX}6.0 s of CPU, but the box used 19.0 s"),
        (None, 4100.0, f"{BOX}6.0 s of CPU, but the box used 19.0 s"),
        (6000.0, None, f"{BOX}6.0 s of CPU, but the box used 19.9 s"),
    ],
)
def test_contradiction_leaves_out_cpu_time_outside_the_sessions(
    supervisor_ms: float | None, wall_ms: float | None, sentence: str
) -> None:
    """Forwarding output and importing modules use CPU, but belong to no session."""
    line = ProgressLine(supervisor_cpu_ms=supervisor_ms)
    used_ms = 19_000.0 if wall_ms else 19_900.0
    observation = make_observation(
        output=ProbeOutput(
            result=structs.replace(HONEST, wall_ms=wall_ms), progress=(ProgressLine(), line)
        ),
        wall_s=5.0,
        box_evidence={"cpu-ms": used_ms},
    )
    assert find_contradiction(observation, 500, LOAD, "sc-mem") == sentence
