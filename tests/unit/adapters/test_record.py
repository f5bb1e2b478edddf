"""The stored form of a run."""

import json

import pytest

from harness.adapters.results.record import (
    SCHEMA_VERSION,
    read_cells,
    read_run,
    write_cell,
    write_run,
)
from harness.analysis.comparison import compare
from harness.model.cells import Cell
from harness.model.errors import UsageError
from harness.model.nouns import Outcome, Side
from harness.report.derived import report_of
from tests.builders.model import make_cell, make_run, ok_cell

RUN = make_run()
CELLS = [
    ok_cell(Side.BASE, 500, pair=0, cpu_ms_per_turn=2.0),
    ok_cell(Side.BRANCH, 500, pair=0, cpu_ms_per_turn=1.0),
    make_cell(Side.BASE, 1000, Outcome.OOM, pair=None, evidence={"last-samples": [{"t-ms": 1}]}),
]


def _text(*, complete: bool = True) -> str:
    return write_run(report_of(compare(RUN, CELLS, complete=complete)))


@pytest.mark.parametrize("complete", [True, False])
def test_record_is_read_as_it_was_written(*, complete: bool) -> None:
    """The run and its completeness survive a round trip."""
    found = read_run(_text(complete=complete), where="compare.json")
    assert (found.run, found.complete) == (RUN, complete)


def test_cells_are_read_as_they_were_written() -> None:
    """Each cell is one line with all of its values."""
    text = "".join(write_cell(cell) for cell in CELLS)
    assert text.count("\n") == len(CELLS)
    assert read_cells(text, where="cells.jsonl") == CELLS


def test_record_derives_values_for_other_programs() -> None:
    """Knees, slopes, outcomes and ratios are plain JSON."""
    stored = json.loads(_text())
    assert (stored["schema"], stored["complete"]) == (SCHEMA_VERSION, True)
    derived = stored["derived"]
    assert derived["knees"] == {
        "base": {
            "last-pass": 500,
            "first-fail": 1000,
            "outcome": "oom",
            "reason": "because of oom",
        },
        "branch": {"last-pass": 500, "first-fail": None, "outcome": None, "reason": ""},
    }
    assert [level["outcomes"] for level in derived["levels"]] == [
        {"base": ["ok"], "branch": ["ok"]},
        {"base": ["oom"], "branch": []},
    ]
    ratio = derived["levels"][0]["ratios"]["cpu-ms/turn"]
    assert ratio == {"value": 0.5, "low": None, "high": None, "n": 1}
    assert derived["capacities"] == {
        "base": {"within": 500, "beyond": 1000},
        "branch": {"within": 500, "beyond": None},
    }
    assert derived["capacity-ratio"] == {"low": 0.5, "high": None}
    assert derived["order"][0] == {
        "phase": "ladder",
        "side": "base",
        "C": 500,
        "block": 0,
        "pair": 0,
        "attempt": 0,
    }
    assert [place["C"] for place in derived["order"]] == [500, 500, 1000]
    assert derived["slopes"] == {}
    assert derived["warnings"] == []
    assert derived["invalid"] == []


def test_record_derives_the_invalid_cells() -> None:
    """Each has its place, its attempt and its reason."""
    cell = make_cell(Side.BASE, 1000, Outcome.INVALID, reason="the host was busy", attempt=1)
    stored = json.loads(write_run(report_of(compare(RUN, [cell], complete=True))))
    assert stored["derived"]["invalid"] == [
        {
            "C": 1000,
            "side": "base",
            "phase": "ladder",
            "block": 0,
            "pair": 0,
            "attempt": 1,
            "reason": "the host was busy",
        }
    ]


def test_record_of_one_build_has_no_ratio_of_capacities() -> None:
    """A ratio needs two sides."""
    text = write_run(report_of(compare(make_run(sides=[Side.BRANCH]), [], complete=True)))
    assert json.loads(text)["derived"]["capacity-ratio"] is None


def test_record_keeps_infinity_out_of_the_json() -> None:
    """An interval without an end is null: JSON has no infinity."""
    wild = [
        ok_cell(Side.BASE, 500, pair=0, cpu_ms_per_turn=1.0),
        ok_cell(Side.BRANCH, 500, pair=0, cpu_ms_per_turn=1e150),
        ok_cell(Side.BRANCH, 500, pair=1, cpu_ms_per_turn=1.0),
        ok_cell(Side.BASE, 500, pair=1, cpu_ms_per_turn=1e150),
    ]
    stored = json.loads(write_run(report_of(compare(RUN, wild, complete=True))))
    assert stored["derived"]["levels"][0]["ratios"]["cpu-ms/turn"]["high"] is None


def test_record_refuses_another_schema() -> None:
    """A file of a later version is not read as one of this version."""
    text = json.dumps(json.loads(_text()) | {"schema": 99, "new": True})
    with pytest.raises(UsageError) as caught:
        read_run(text, where="results/x/compare.json")
    assert str(caught.value) == (
        f"results/x/compare.json has schema 99, and this version reads 1 to {SCHEMA_VERSION}"
        " — read it with the version that wrote it"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"schema": 1}',
        '{"schema": 1, "run": {}}',
        '{"schema": 2}',
        '{"schema": 2, "surprise": 2}',
        '{"schema": 3}',
    ],
)
def test_record_refuses_what_is_no_run(text: str) -> None:
    """The error names the file."""
    with pytest.raises(UsageError, match=r"^compare\.json cannot be read: "):
        read_run(text, where="compare.json")


@pytest.mark.parametrize(
    ("kind", "sides"),
    [("compare", 1), ("gate", 0), ("ramp", 2), ("ramp", 0), ("goals", 0)],
)
def test_record_refuses_a_run_without_its_sides(kind: str, sides: int) -> None:
    """A comparison has a base and a branch, a ramp one build, and every run a side."""
    loaded = json.loads(_text())
    loaded["run"] |= {"kind": kind, "sides": loaded["run"]["sides"][:sides]}
    with pytest.raises(
        UsageError, match=rf"^compare\.json cannot be read: a run of kind {kind} has "
    ):
        read_run(json.dumps(loaded), where="compare.json")


def test_record_refuses_deep_nesting() -> None:
    """It is a usage error, not an overflow of the stack."""
    deep = "[" * 200_000
    with pytest.raises(UsageError, match="cannot be read"):
        read_run(deep, where="compare.json")
    with pytest.raises(UsageError, match="line 1 is not a cell"):
        read_cells(deep + "\n", where="cells.jsonl")


def test_cells_leave_out_a_torn_last_line() -> None:
    """A crash during a write loses that cell alone."""
    text = "".join(write_cell(cell) for cell in CELLS)
    assert read_cells(text[:-10], where="cells.jsonl") == CELLS[:2]
    assert read_cells("", where="cells.jsonl") == []


def test_cells_refuse_a_whole_line_that_is_no_cell() -> None:
    """An edited line is an error: no measurement is dropped in silence."""
    text = write_cell(CELLS[0]) + "{}\n" + write_cell(CELLS[1])
    with pytest.raises(UsageError, match=r"^cells\.jsonl, line 2 is not a cell: "):
        read_cells(text, where="cells.jsonl")


def test_cells_keep_newlines_and_quotes() -> None:
    """The reason may quote text of the branch."""
    cell = make_cell(Side.BASE, 500, Outcome.ERRORS, reason='a "b"\n{c}\u2028')
    line = write_cell(cell)
    assert line.count("\n") == 1
    (back,) = read_cells(line, where="cells.jsonl")
    assert isinstance(back, Cell)
    assert back == cell
