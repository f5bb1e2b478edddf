"""A RESULT that cannot be true, and the honest ones that must not be taken for it."""

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
ASKED = "its RESULT contradicts what was asked for: "
ITSELF = "its RESULT contradicts itself: "
OUTSIDE = "its RESULT contradicts what was seen from outside: "


def _found(result: Result, outside: Mapping[str, object] | None = None) -> str:
    seen = make_observation(result, wall_s=5.0, box_evidence=outside or {})
    return find_contradiction(seen, 500, LOAD, "sc-mem")


def test_contradiction_is_none_in_an_honest_result() -> None:
    """What the box saw is a little more than what the worker alone used."""
    outside = {"cpu-ms": 6400.0, "pids-peak": 9, "rss-peak-bytes": 110 << 20}
    assert _found(HONEST, outside) == ""


def test_contradiction_needs_something_to_be_held_against() -> None:
    """A cell without a RESULT, a RESULT with little in it, and a box that saw nothing, contradict nobody."""
    bare = Result(arm="sc-mem", c=500, ok=500, errors=0)
    assert _found(bare, {"cpu-ms": 9e9, "pids-peak": 9999, "rss-peak-bytes": 1 << 40}) == ""
    assert find_contradiction(make_observation(), 500, LOAD, "sc-mem") == ""
    assert _found(HONEST, {"cpu-ms": None, "pids-peak": "many"}) == ""


def test_contradiction_makes_a_cell_invalid() -> None:
    """It is no result, whichever way it would have pointed."""
    seen = make_observation(structs.replace(HONEST, deltas=7))
    assert decide(seen, Caps(), 500)[0] == "ok", "nobody said what was asked for"
    outcome, reason = decide(seen, Caps(), 500, load=LOAD, arm="sc-mem")
    assert (outcome.value, reason) == (
        "invalid",
        f"{ASKED}7 tokens delivered, where 150,000 were asked for",
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arm": "hand"}, "its RESULT is of another arm: 'hand', not sc-mem"),
        ({"cpu_sec": -1.0}, f"{ASKED}cpu_sec is -1"),
        ({"turns_total": 2999}, f"{ASKED}2,999 turns, where 3,000 were asked for"),
        (
            {"nominal_turn_ms": 100.0},
            f"{ASKED}a turn of 100 ms, where 450 ms were asked for",
        ),
        ({"deltas": 150_001}, f"{ASKED}150,001 tokens delivered, where 150,000 were asked for"),
        (
            {"wall_ms": 2000.0},
            f"{ASKED}a wall time of 2,000 ms, where the model alone takes 2,700 ms",
        ),
        (
            {"p50_session_ms": 900.0},
            f"{ASKED}a median session of 900 ms, where the model alone takes 2,700 ms",
        ),
        (
            {"p99_session_ms": 4000.0},
            f"{ITSELF}the median session took 4,050 ms, and 99 in 100 no more than 4,000 ms",
        ),
        (
            {"p99_session_ms": 9000.0},
            f"{ITSELF}sessions of 9,000 ms in a wall time of 4,100 ms",
        ),
        ({"cpu_ms_per_turn": 1.0}, f"{ITSELF}cpu-ms/turn 1, which its own figures make 2"),
        ({"latency_infl": 1.0}, f"{ITSELF}latency-infl 1, which its own figures make 1.5"),
        (
            {"rss_kb_per_session": 20.0},
            f"{ITSELF}rss-kb/sess 20, which its own figures make 204.8",
        ),
        ({"wall_ms": 9000.0}, f"{OUTSIDE}a wall time of 9.0 s in a cell of 5.0 s"),
    ],
)
def test_contradiction_of_a_figure_names_it(changes: dict[str, object], said: str) -> None:
    """Against the order, against itself, against the clock on the wall."""
    assert _found(structs.replace(HONEST, **changes)) == said


@pytest.mark.parametrize(
    ("outside", "said"),
    [
        ({"cpu-ms": 20_000.0}, f"{OUTSIDE}6.0 s of CPU, where the box used 20.0 s"),
        ({"pids-peak": 4000}, f"{OUTSIDE}8 threads at most, where the box had 4,000"),
        (
            {"rss-peak-bytes": 1 << 30},
            f"{OUTSIDE}100 MiB of memory at most, where the box had 1 GiB",
        ),
    ],
)
def test_contradiction_of_less_than_the_box_saw_is_told(
    outside: dict[str, object], said: str
) -> None:
    """A gauge that reads low makes its side look cheap."""
    assert _found(HONEST, outside) == said


@pytest.mark.parametrize(
    ("outside", "procs"),
    [
        ({"cpu-ms": 13_500.0}, 1),
        ({"pids-peak": 50}, 1),
        ({"rss-peak-bytes": 260 << 20}, 1),
        ({"cpu-ms": 40_000.0, "pids-peak": 300}, 64),
    ],
)
def test_contradiction_allows_what_is_not_the_workers(
    outside: dict[str, object], procs: int
) -> None:
    """Starting interpreters, watching, and threads that lived between two samples are no lie."""
    assert _found(structs.replace(HONEST, procs=procs), outside) == ""


@pytest.mark.parametrize(
    ("deltas", "is_told"), [(150_000, False), (149_700, False), (149_699, True)]
)
def test_contradiction_lets_failed_sessions_have_had_tokens(deltas: int, *, is_told: bool) -> None:
    """Those that ended well had all of theirs."""
    result = structs.replace(HONEST, ok=499, errors=1, turns_total=2994, deltas=deltas)
    result = structs.replace(result, cpu_ms_per_turn=None)
    assert bool(_found(result)) == is_told


def test_contradiction_is_not_looked_for_in_what_failed_sessions_used() -> None:
    """Children that a session started are the box's and not the worker's, and may be what it failed by."""
    result = structs.replace(HONEST, ok=499, errors=1, turns_total=2994, cpu_ms_per_turn=None)
    assert _found(result, {"pids-peak": 4000, "rss-peak-bytes": 1 << 30}) == ""


def test_contradiction_lets_a_run_without_an_ok_session_be_short() -> None:
    """Sessions that fail at once take no time at all."""
    result = structs.replace(
        make_result(500, ok=0, errors=500), wall_ms=3.0, turns_total=0, deltas=0
    )
    assert _found(structs.replace(result, cpu_ms_per_turn=None, latency_infl=None)) == ""


def test_contradiction_allows_for_how_other_probes_round() -> None:
    """Hundredths of a second and of a factor, as a probe of another language prints them, at one session."""
    result = make_result(
        1, cpu_sec=0.01, cpu_ms_per_turn=14.2, turns_total=1, nominal_turn_ms=3.0, wall_ms=4.0
    )
    result = structs.replace(result, p50_session_ms=3.0, latency_infl=1.12, peak_rss_mb=None)
    seen = make_observation(result)
    load = Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
    assert find_contradiction(seen, 1, load, "") == ""


@pytest.mark.parametrize("code", [1, 137, 143])
def test_result_of_a_supervisor_that_then_fails_is_believed_by_nobody(code: int) -> None:
    """A runtime that writes a RESULT of its own, and ends the supervisor before it can print one, has measured nothing."""
    seen = make_observation(HONEST, exit_code=code, wall_s=5.0)
    said = f"it printed a RESULT, and then ended with exit code {code}"
    assert decide(seen, Caps(), 500, load=LOAD, arm="sc-mem") == (Outcome.INVALID, said)


@pytest.mark.parametrize(
    ("supervisor_ms", "wall_ms", "said"),
    [
        (6000.0, 4100.0, ""),
        (100.0, 4100.0, f"{OUTSIDE}6.0 s of CPU, where the box used 19.0 s"),
        (None, 4100.0, f"{OUTSIDE}6.0 s of CPU, where the box used 19.0 s"),
        (6000.0, None, f"{OUTSIDE}6.0 s of CPU, where the box used 19.9 s"),
    ],
)
def test_contradiction_counts_neither_the_supervisor_nor_what_is_besides_the_sessions(
    supervisor_ms: float | None, wall_ms: float | None, said: str
) -> None:
    """A supervisor that hands on a gigabyte takes more than the sessions that print it, and an import is no turn."""
    line = ProgressLine(supervisor_cpu_ms=supervisor_ms)
    used_ms = 19_000.0 if wall_ms else 19_900.0
    seen = make_observation(
        output=ProbeOutput(
            result=structs.replace(HONEST, wall_ms=wall_ms), progress=(ProgressLine(), line)
        ),
        wall_s=5.0,
        box_evidence={"cpu-ms": used_ms},
    )
    assert find_contradiction(seen, 500, LOAD, "sc-mem") == said
