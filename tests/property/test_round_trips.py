"""Round trips: written values are read as they were."""

import msgspec
from hypothesis import given, settings, strategies as st
from msgspec import structs

from harness.adapters.results.record import read_cells, read_run, write_cell, write_run
from harness.analysis.comparison import compare
from harness.cli.parsing import parse_memory_bytes
from harness.model.cells import Cell, Result, Slot, Subject
from harness.model.nouns import Arm, Caps, Drive, Load, Outcome, Purity, Side
from harness.model.plan import Plan
from harness.model.runs import RunInfo, SideInfo
from harness.model.units import show_bytes, show_count
from harness.outcome.protocol import read_output
from harness.report.derived import report_of
from tests.builders.model import make_box_info

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
COUNT = st.integers(0, 10**9)
NUMBER = st.floats(0, 1e12, allow_nan=False)
SOME = st.floats(0.01, 1e12)
DRIVES = st.builds(
    Drive, arm=st.sampled_from(Arm), environment=st.dictionaries(TEXT, TEXT, max_size=3)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def _maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


SLOTS = st.builds(
    Slot,
    side=st.sampled_from(Side),
    level=COUNT,
    block=st.integers(-1, 9),
    pair=st.sampled_from([None, 0, 1]),
    attempt=st.integers(0, 1),
)
RESULTS = st.builds(
    Result,
    arm=TEXT,
    c=COUNT,
    ok=COUNT,
    errors=COUNT,
    err_sample=_maybe(TEXT),
    latency_infl=_maybe(NUMBER),
    cpu_ms_per_turn=_maybe(NUMBER),
    peak_threads=_maybe(COUNT),
    subject=_maybe(st.builds(Subject, path=TEXT, version=_maybe(TEXT), hash=TEXT)),
)
CELLS = st.builds(
    Cell,
    slot=SLOTS,
    outcome=st.sampled_from(Outcome),
    reason=TEXT,
    started_at=TEXT,
    wall_s=NUMBER,
    exit_code=_maybe(st.integers(0, 255)),
    sessions_done=_maybe(COUNT),
    peak_threads=_maybe(COUNT),
    peak_rss_mb=_maybe(NUMBER),
    peak_fds=_maybe(COUNT),
    result=_maybe(RESULTS),
    evidence=st.dictionaries(TEXT, JSON, max_size=3),
    log=TEXT,
    drive=_maybe(DRIVES),
)
SIDES = st.builds(
    SideInfo,
    side=st.just(Side.BASE),
    drive=DRIVES,
    commit=_maybe(TEXT),
    title=TEXT,
    dirty=_maybe(TEXT),
    subject=_maybe(TEXT),
    gauge=_maybe(TEXT),
    tree=_maybe(TEXT),
    image=TEXT,
)


def _side(side: Side) -> st.SearchStrategy[SideInfo]:
    return SIDES.map(lambda info: structs.replace(info, side=side))


RUNS = st.builds(
    RunInfo,
    run_id=TEXT,
    started_at=TEXT,
    kind=st.just("compare"),
    load=st.builds(Load, turns=COUNT, ttft_ms=COUNT, qsleep_ms=COUNT, state_kb=COUNT),
    caps=st.builds(Caps, cpus=SOME, memory_bytes=COUNT, pids=_maybe(COUNT), timeout_s=SOME),
    plan=st.builds(Plan, levels=st.lists(COUNT, max_size=4).map(tuple), blocks=COUNT),
    sides=st.tuples(_side(Side.BASE), _side(Side.BRANCH)),
    purity=_maybe(st.sampled_from(Purity)),
    how=TEXT,
    goals=st.lists(TEXT, max_size=2).map(tuple),
    box=st.builds(make_box_info, warnings=st.lists(TEXT, max_size=2).map(tuple)),
)


@settings(deadline=None)
@given(cells=st.lists(CELLS, max_size=3))
def test_cells_survive_a_round_trip(cells: list[Cell]) -> None:
    """Each cell is one line."""
    text = "".join(write_cell(cell) for cell in cells)
    assert text.count("\n") == len(cells)
    assert read_cells(text, where="cells.jsonl") == cells


@settings(deadline=None)
@given(run=RUNS, complete=st.booleans())
def test_runs_survive_a_round_trip(run: RunInfo, *, complete: bool) -> None:
    """Each setting of a run is the same."""
    found = read_run(
        write_run(report_of(compare(run, [], complete=complete))), where="compare.json"
    )
    assert (found.run, found.complete) == (run, complete)


@given(cell=CELLS, cut=st.integers(1, 50))
def test_cells_survive_a_torn_last_line(cell: Cell, cut: int) -> None:
    """However much of the last line is missing, the one before it is read."""
    line = write_cell(cell)
    assert read_cells(line + line[:-cut], where="cells.jsonl") == [cell]


@given(result=RESULTS)
def test_results_survive_the_line_of_a_probe(result: Result) -> None:
    """A RESULT in JSON is read without a fault."""
    line = f"RESULT {msgspec.json.encode(result).decode()}"
    output = read_output([line])
    assert output.result == result
    assert output.faults == ()


@given(amount=st.integers(6 << 20, 1 << 49))
def test_memory_in_bytes_is_exact(amount: int) -> None:
    """Parsing does not round through a float."""
    assert parse_memory_bytes(str(amount), where="--mem") == amount


@given(mebibytes=st.integers(6, 1023))
def test_memory_that_is_shown_can_be_typed(mebibytes: int) -> None:
    """The spelling of the report is parsed as the same cap."""
    shown = show_bytes(mebibytes << 20)
    assert parse_memory_bytes(shown, where="--mem") == mebibytes << 20


@given(value=COUNT)
def test_shown_counts_keep_every_digit(value: int) -> None:
    """Commas are the only addition."""
    assert int(show_count(value).replace(",", "")) == value
