"""Torn, edited and swapped records: each is read, or refused in one line."""

import json
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from hypothesis import example, given, strategies as st

from experiments.speed_goals.findings import find_goals
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
from harness.model.runs import RunInfo
from harness.report.derived import report_of
from harness.report.document import render_summary
from tests.builders.model import make_block, make_cell, make_run
from tests.property.hostile import HOSTILE, JSON, NUMBERS, effort, see_that_it_is_clear

CELLS = [*make_block(500), make_cell(Side.BASE, 1000, Outcome.OOM)]
LINES = [write_cell(cell) for cell in CELLS]
TEXT = "".join(LINES)
RUN = write_run(report_of(compare(make_run(), CELLS, complete=True)))
PLACES = st.integers(0, 10**6)
SPITE: st.SearchStrategy[object] = JSON | NUMBERS | HOSTILE | st.just([]) | st.just({})


def _leaves(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield the path of each value in a value, its own first."""
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from _leaves(inner, (*path, key))


def _spoil(text: str, place: int, spite: object) -> str:
    """Replace the value at one place of a JSON text."""
    loaded = json.loads(text)
    paths = list(_leaves(loaded))
    path = paths[place % len(paths)]
    if not path:
        return json.dumps(spite)
    inner = loaded
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = spite
    return json.dumps(loaded)


T = TypeVar("T")


def _read_or_refuse(read: Callable[[], T]) -> T | None:
    """Return the value that was read; None if it was refused in one line."""
    try:
        return read()
    except UsageError as error:
        see_that_it_is_clear(error)
        return None


def _derive_and_render(run: RunInfo, cells: list[Cell], *, complete: bool) -> None:
    """Derive and render a run."""
    if run.kind == "goals":
        find_goals(run, cells, complete=complete)
        return
    comparison = compare(run, cells, complete=complete)
    write_run(report_of(comparison))
    render_summary(comparison)


def test_cells_survive_a_tear_at_every_byte() -> None:
    """Wherever the last write ended, the lines before it are read."""
    whole = TEXT.encode()
    ends = [len("".join(LINES[:number]).encode()) for number in range(len(LINES) + 1)]
    for cut in range(len(whole) + 1):
        found = read_cells(whole[:cut].decode(errors="replace"), where="cells.jsonl")
        assert len(found) == sum(end <= cut for end in ends) - 1


@effort(40, 20_000)
@given(place=PLACES, spite=SPITE, line=st.integers(0, len(LINES) - 1))
@example(place=1, spite={}, line=0)
def test_edited_cells_are_rendered_or_refused(place: int, spite: object, line: int) -> None:
    """The error of a wrong type or size holds the number of the line."""
    lines = [*LINES]
    lines[line] = _spoil(lines[line], place, spite) + "\n"
    cells = _read_or_refuse(lambda: read_cells("".join(lines), where="cells.jsonl"))
    if cells is not None:
        _derive_and_render(make_run(), cells, complete=True)


@effort(40, 20_000)
@given(place=PLACES, spite=SPITE, kind=st.sampled_from(["compare", "gate", "ramp", "goals"]))
def test_edited_runs_are_rendered_or_refused(place: int, spite: object, kind: str) -> None:
    """A record with any other value is rendered, or refused."""
    text = _spoil(RUN.replace('"kind": "compare"', f'"kind": "{kind}"'), place, spite)
    found = _read_or_refuse(lambda: read_run(text, where="compare.json"))
    if found is not None:
        _derive_and_render(found.run, CELLS, complete=found.complete)


@effort(40, 10_000)
@given(text=HOSTILE | JSON.map(json.dumps) | st.integers(0, len(RUN)).map(lambda cut: RUN[:cut]))
@example(text="[" * 100_000)
@example(text='{"schema": 1}')
@example(text='{"schema": [1]}')
@example(text='{"schema": 1, "run": {"sides": [{}]}, "complete": true, "derived": {}}')
def test_garbage_is_no_run(text: str) -> None:
    """It is refused, however deep or torn it is."""
    if text.strip() != RUN.strip():
        with pytest.raises(UsageError) as caught:
            read_run(text, where="compare.json")
        see_that_it_is_clear(caught.value)


@effort(40, 10_000)
@given(lines=st.lists(st.sampled_from(LINES) | HOSTILE.map(lambda text: text + "\n"), max_size=4))
@example(lines=["[" * 100_000 + "\n"])
def test_garbage_is_no_cell(lines: list[str]) -> None:
    """It is refused; a repeated line is read twice."""
    cells = _read_or_refuse(lambda: read_cells("".join(lines), where="cells.jsonl"))
    if cells is not None:
        _derive_and_render(make_run(), cells, complete=False)


@pytest.mark.parametrize("schema", [0, -1, SCHEMA_VERSION + 1, 10**30, "4", None, 4.5, True])
def test_other_schemas_are_refused(schema: object) -> None:
    """An unknown schema is no crash."""
    text = json.dumps(json.loads(RUN) | {"schema": schema})
    found = _read_or_refuse(lambda: read_run(text, where="compare.json"))
    assert found is None
