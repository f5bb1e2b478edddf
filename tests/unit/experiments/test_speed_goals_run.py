"""The goal run from end to end, with fakes."""

import pytest

from experiments.speed_goals.findings import arm_of
from experiments.speed_goals.run import goals, render_stored
from harness.model.cells import Result, Subject
from harness.model.errors import BranchCannotRunError, DisturbedError, UsageError
from harness.model.nouns import Load, Outcome
from harness.outcome.observation import Observation
from harness.verbs.housekeeping import show_run
from harness.verbs.ports import CellSpec
from tests.builders.model import make_observation, make_result
from tests.builders.world import BRANCH_IMAGE, RUN_ID, make_request, make_world
from tests.fakes.fake_box import Behaviour, fails_with, holds_up_to


def _slowing() -> Behaviour:
    """Make a build that slows down, up to 64,000 sessions, or 4,000 with checkpoints.

    It refuses two processes.
    """
    runs: dict[str, int] = {}

    def behave(image: str, spec: CellSpec) -> Observation:
        key = f"{spec.arm} {spec.level} {spec.environment}"
        again = runs[key] = runs.get(key, -1) + 1
        if "SCALE_PROCS" in spec.environment:
            return make_observation(exit_code=2, stderr=("SCALE_PROCS=2 is not available yet",))
        holds = holds_up_to(
            4_000 if spec.arm == "sc-ckpt" else 64_000,
            latency_infl=1.0 + spec.level / 80_000 + again / 10,
            cpu_ms_per_turn=0.1 + again / 100,
            peak_rss_mb=30 + spec.level * 20 / 1024,
            peak_threads=5,
            peak_fds=40 + spec.level // 1000,
        )
        return holds(image, spec)

    return behave


TABLE = """\
## Speed goals

- build: `b4a7b4a` — Pump by waking; runtime 5a4f9f45121a, with ESCAPEMENT_WORKERS=virtual SCALE_PACING=sleep SCALE_VT=1
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image fake-base:1
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:00:00Z

| figure                                                  |     goal |   original | measured: median [min, max]                                                                     | met    |
|:--------------------------------------------------------|---------:|-----------:|:------------------------------------------------------------------------------------------------|:-------|
| hand, C=8,000: latency-infl                             |  ≤ 1.10× |          – | 1.20× [1.10×, 1.30×]                                                                            | **no** |
| hand, C=32,000: latency-infl                            |  ≤ 1.50× |          – | 1.50× [1.40×, 1.60×]                                                                            | yes    |
| sc-mem, any C: peak-threads                             |      ≤ 8 |          8 | 256,000 [256,000, 256,000]                                                                      | **no** |
| sc-mem, C=4,000: cpu-ms/turn                            |   ≤ 0.15 |       4.42 | 0.11 [0.1, 0.12]                                                                                | yes    |
| sc-mem, C=8,000, one process: latency-infl              |  ≤ 3.00× |        62× | 1.20× [1.10×, 1.30×]                                                                            | yes    |
| sc-mem, C=8,000, SCALE_PROCS=2: latency-infl            |  ≤ 1.60× |          – | **DIED — crash: exit code 2 without a RESULT** (at C=8,000, 3 of 3 repeats)                     | **no** |
| sc-mem, C=32,000, one process: latency-infl, 0 errors   | ≤ 11.00× |          – | 1.50× [1.40×, 1.60×]                                                                            | yes    |
| sc-mem, C=32,000, SCALE_PROCS=2: latency-infl, 0 errors |  ≤ 6.00× |          – | **DIED — crash: exit code 2 without a RESULT** (at C=32,000, 3 of 3 repeats)                    | **no** |
| sc-mem: the largest C that ends ok                      | ≥ 64,000 |      8,000 | 64,000 [64,000, 64,000]                                                                         | yes    |
| sc-mem, C=2,000 to 32,000: KiB a session, slope         |     ≤ 24 |          – | 20 [20, 20]                                                                                     | yes    |
| sc-ckpt, C=8,000, 0 errors: cpu-ms/turn                 |    ≤ 0.5 |          – | **DIED — oom: out of memory at 2 GiB, its cgroup's oom_kill rose** (at C=8,000, 3 of 3 repeats) | **no** |
| sc-ckpt, C=1,000, SCALE_STATE_KB=64: cpu-ms/turn        |  ends ok |          – | 0.11 [0.1, 0.12]                                                                                | yes    |
| sc-mem, C=32,000: peak-fds in the box                   | < 20,000 |          – | 72 [72, 72]                                                                                     | yes    |

8 of 13 goals met; 3 repeats, all rows run once before any is repeated, each cell in a fresh container. A goal is met if no repeat failed and the median is within the bound; this is a report, not a gate.

### Notes

- sc-mem, any C: peak-threads: 5 at C=2,000, 256,000 at C=128,000
- sc-mem: the largest C that ends ok: ends between C=64,000 and C=128,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)
"""


def test_goals_returns_the_table_that_it_stored() -> None:
    """A row shows goal, measurements, and failed cells with their causes."""
    fakes = make_world(branch=_slowing())
    shown = goals(fakes.world, make_request(), only="", repeats=3)
    assert shown == fakes.store.only.document == TABLE
    assert list(fakes.store.runs) == ["results/2026-11-30T12:00:00Z-goals-b4a7b4a"]


def test_goals_runs_every_row_before_any_again() -> None:
    """The check comes first and the ladder last; shared cells run once."""
    fakes = make_world(branch=_slowing())
    goals(fakes.world, make_request(), only="", repeats=2)
    ran = [(spec.arm, spec.level) for _, spec in fakes.box.specs]
    once = [
        *(("hand", level) for level in (8_000, 32_000)),
        *(("sc-mem", level) for level in (2_000, 4_000, 8_000, 16_000, 32_000)),
        *(("sc-mem", level) for level in (8_000, 32_000)),
        *(("sc-ckpt", level) for level in (8_000, 1_000)),
        *(("sc-mem", level) for level in (64_000, 128_000)),
    ]
    assert ran == [("hand", 1), *once, *once]
    assert {image for image, _ in fakes.box.specs} == {BRANCH_IMAGE}


def test_goals_runs_cells_with_fixed_load_and_caps() -> None:
    """Load and caps are fixed; the environment is that of the row."""
    fakes = make_world()
    goals(fakes.world, make_request(7), only="STATE_KB", repeats=1)
    check, spec = (spec for _, spec in fakes.box.specs)
    assert check.load == Load(turns=1, ttft_ms=1, tokens=2, tok_ms=1)
    assert (spec.run_id, spec.arm, spec.level) == (RUN_ID, "sc-ckpt", 1_000)
    assert spec.load == Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5)
    assert (spec.caps.cpus, spec.caps.memory_bytes, spec.caps.timeout_s) == (2.0, 2 << 30, 600)
    assert spec.environment == {
        "ESCAPEMENT_WORKERS": "virtual",
        "SCALE_PACING": "sleep",
        "SCALE_STATE_KB": "64",
        "SCALE_VT": "1",
    }


def test_goals_reports_its_progress() -> None:
    """A line per cell shows repeat, arm, level, variables and outcome."""
    fakes = make_world(branch=_slowing())
    goals(fakes.world, make_request(), only="SCALE_PROCS=2: latency-infl, 0", repeats=2)
    assert fakes.progress.lines[1:] == [
        "cells  2 CPU, 2 GiB memory and no swap, no network, 600 s a cell",
        (
            "1/2 sc-mem C=32,000 SCALE_PROCS=2 crash: exit code 2 without a RESULT; "
            "last line on stderr: “SCALE_PROCS=2 is not available yet” (1.0 s)"
        ),
        (
            "2/2 sc-mem C=32,000 SCALE_PROCS=2 crash: exit code 2 without a RESULT; "
            "last line on stderr: “SCALE_PROCS=2 is not available yet” (1.0 s)"
        ),
        "results in results/2026-11-30T12:00:00Z-goals-b4a7b4a",
    ]


def test_goals_writes_after_every_cell() -> None:
    """The stored run is incomplete until the last cell, and cells hold their drive."""
    fakes = make_world()
    goals(fakes.world, make_request(), only="hand", repeats=2)
    run = fakes.store.only
    assert run.completes == [False] * 4 + [True]
    assert [(arm_of(cell), cell.slot.level, cell.slot.block) for cell in run.cells] == [
        ("hand", 8_000, 0),
        ("hand", 32_000, 0),
        ("hand", 8_000, 1),
        ("hand", 32_000, 1),
    ]
    assert fakes.box.reaped == [None]


def test_goals_of_a_stored_run_are_derived_again() -> None:
    """The table is the same as at the end of the run."""
    fakes = make_world(branch=_slowing())
    shown = goals(fakes.world, make_request(), only="sc-ckpt", repeats=2)
    folder = fakes.store.only.folder
    assert show_run(fakes.store, folder, {"goals": render_stored}) == shown


def test_goals_that_are_interrupted_keep_what_was_measured() -> None:
    """Ctrl-C loses no finished cell, and the table has a warning."""

    def behave(image: str, spec: CellSpec) -> Observation:
        if spec.level == 32_000:
            raise KeyboardInterrupt
        return holds_up_to(64_000)(image, spec)

    fakes = make_world(branch=behave)
    with pytest.raises(KeyboardInterrupt):
        goals(fakes.world, make_request(), only="hand", repeats=3)
    rows = str(fakes.store.only.document).splitlines()
    assert rows[10:12] == [
        "| hand, C=8,000: latency-infl  | ≤ 1.10× |          – | 1.50× (1 of 3 repeats)        | **no** |",
        "| hand, C=32,000: latency-infl | ≤ 1.50× |          – | –                             | –      |",
    ]
    assert rows[13].startswith("0 of 2 goals met, 1 not measured; 3 repeats, ")
    assert rows[-1] == "- the run was interrupted: the figures cover only the finished cells"
    assert fakes.progress.lines[-1] == (
        "the finished cells are in results/2026-11-30T12:00:00Z-goals-b4a7b4a; "
        "`invoke goals --resume results/2026-11-30T12:00:00Z-goals-b4a7b4a` continues it"
    )


def test_goals_retry_an_invalid_cell() -> None:
    """Both attempts are in the warnings, and the row counts as not measured."""
    fakes = make_world(branch=fails_with(Outcome.INVALID, at=32_000))
    shown = goals(fakes.world, make_request(), only="hand", repeats=1)
    assert [spec.level for _, spec in fakes.box.specs] == [1, 8_000, 32_000, 32_000]
    assert shown.endswith(
        "### Warnings\n\n"
        "- hand C=32,000: invalid cell (the engine fell over); retried\n"
        "- hand C=32,000: invalid cell (the engine fell over); excluded\n"
    )
    assert "0 of 2 goals met, 1 not measured; 1 repeat, " in shown


def test_goals_warn_of_repeated_lag_with_free_cpu() -> None:
    """The first attempt is invalid, the second counts with a warning."""
    late = {"cpu_sec": 3.0, "wall_ms": 10_000.0, "mock_lag_p99_ms": 120.0}
    fakes = make_world(branch=holds_up_to(9_999, **late))
    shown = goals(fakes.world, make_request(), only="hand, C=8", repeats=1)
    said = "the simulated model was late by 120 ms (99th percentile) while the worker was only 30 % busy"
    assert [spec.level for _, spec in fakes.box.specs] == [1, 8_000, 8_000]
    assert f"- hand C=8,000: invalid cell ({said}); retried\n" in shown
    assert f"- hand C=8,000: {said}; the cell counts: no runtime can have delayed it" in shown
    assert shown.count("the cell counts") == 1, "and nothing of the check"


def test_goals_of_a_build_that_cannot_run_measure_nothing() -> None:
    """The check at C=1 runs before all cells."""
    fakes = make_world(branch=fails_with(Outcome.CRASH))
    with pytest.raises(BranchCannotRunError, match=r"^the build b4a7b4a cannot run the probe"):
        goals(fakes.world, make_request(), only="", repeats=1)
    assert fakes.store.only.cells == []


def test_goals_end_when_a_cell_ran_other_code() -> None:
    """Its RESULT is of another runtime."""
    foreign = Subject(path="/usr/lib/escapement", hash="99" * 32)
    fakes = make_world(branch=lambda _, spec: make_observation(_loaded(spec, foreign)))
    with pytest.raises(DisturbedError, match="ran other code than its side's"):
        goals(fakes.world, make_request(), only="hand", repeats=1)


def _loaded(spec: CellSpec, subject: Subject) -> Result:
    loaded = subject if spec.level > 1 else None
    return make_result(spec.level, arm=spec.arm, subject=loaded)


def test_goals_that_match_no_filter_are_a_usage_error() -> None:
    """The message lists the figures, and nothing is built."""
    fakes = make_world()
    with pytest.raises(
        UsageError, match=r"^--only: no goal contains 'sc-men' — the goals are: ha"
    ):
        goals(fakes.world, make_request(), only="sc-men", repeats=1)
    assert fakes.box.built == []
