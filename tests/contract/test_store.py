"""The contract of stores, and the files of the one on disk."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from experiments.speed_goals.definitions import GOALS
from experiments.speed_goals.findings import find_goals
from experiments.speed_goals.report import report_of as goals_report_of
from harness.adapters.results.record import write_run
from harness.adapters.results.store import FilesStore
from harness.analysis.comparison import compare
from harness.model.cells import Cell
from harness.model.errors import DisturbedError, UsageError
from harness.model.gate import NoiseFloor
from harness.model.nouns import Outcome, Side
from harness.model.runs import RunInfo
from harness.report.derived import report_of
from harness.verbs.ports import RunWriter, Store
from tests.builders.model import make_cell, make_observation, make_run, ok_cell
from tests.fakes.fake_store import FakeStore

RUN = make_run(levels=(500,))
GOAL_RUN = structs.replace(
    make_run(levels=(), sides=[Side.BRANCH]), kind="goals", goals=("hand-8000-latency",)
)
GOAL_CELL = structs.replace(
    make_cell(Side.BRANCH, 8_000, pair=None),
    drive=GOALS[0].drive,
)
CELLS = [ok_cell(Side.BASE, 500), ok_cell(Side.BRANCH, 500, cpu_ms_per_turn=1.0)]


@pytest.fixture(params=["fake", "files"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return each kind of store, empty."""
    return FakeStore() if request.param == "fake" else FilesStore(tmp_path / "results")


def _add(writer: RunWriter, run: RunInfo, cells: list[Cell], *, complete: bool = False) -> None:
    """Add the last of `cells`, and write the report of them all."""
    writer.add_cell(cells[-1], make_observation(stdout="out", stderr=("err",)))
    writer.write(report_of(compare(run, cells, complete=complete)))


def test_store_loads_a_run_as_it_was_written(store: Store) -> None:
    """Run, cells and completeness are the same."""
    writer = store.open_run(RUN, "sc-mem-a-b")
    _add(writer, RUN, CELLS[:1])
    assert writer.holds_cells
    assert store.load(writer.folder) == (RUN, CELLS[:1], False)
    _add(writer, RUN, CELLS, complete=True)
    assert store.load(writer.folder) == (RUN, CELLS, True)


def test_store_loads_a_goal_run(store: Store) -> None:
    """It is a run with cells too."""
    writer = store.open_run(GOAL_RUN, "goals-b")
    writer.add_cell(GOAL_CELL, make_observation())
    writer.write(goals_report_of(find_goals(GOAL_RUN, [GOAL_CELL], complete=True)))
    assert store.load(writer.folder) == (GOAL_RUN, [GOAL_CELL], True)


FLOOR = NoiseFloor(
    key="0123456789abcdef",
    measured_at="2026-11-30T12:34:56Z",
    level=500,
    pairs=8,
    deviations={"cpu-ms/turn": 0.02},
)


def test_store_loads_a_noise_floor_by_its_key(store: Store) -> None:
    """A later one replaces it; another key has its own."""
    assert store.load_noise_floor(FLOOR.key) is None
    other = structs.replace(FLOOR, key="f" * 16)
    assert FLOOR.key in store.keep_noise_floor(structs.replace(FLOOR, pairs=4))
    store.keep_noise_floor(FLOOR)
    store.keep_noise_floor(other)
    assert store.load_noise_floor(FLOOR.key) == FLOOR
    assert store.load_noise_floor(other.key) == other


def test_store_names_a_folder_before_there_is_one(store: Store) -> None:
    """The path is known when the run begins; the folder needs one cell."""
    writer = store.open_run(RUN, "sc-mem-a-b")
    assert "sc-mem-a-b" in writer.folder
    assert not writer.holds_cells
    with pytest.raises(UsageError, match="is not the folder of a run"):
        store.load(writer.folder)


def test_store_keeps_two_runs_of_one_name_apart(store: Store) -> None:
    """Two runs in the same second have two folders."""
    first = store.open_run(RUN, "sc-mem-a-b")
    _add(first, RUN, CELLS[:1])
    other = structs.replace(RUN, run_id="esc-2-2-2")
    second = store.open_run(other, "sc-mem-a-b")
    _add(second, other, CELLS[1:])
    assert store.load(first.folder)[:2] == (RUN, CELLS[:1])
    assert store.load(second.folder)[:2] == (other, CELLS[1:])


def test_store_refuses_a_folder_that_is_no_run(store: Store) -> None:
    """A mistyped name is an error, not an empty run."""
    with pytest.raises(UsageError, match="is not the folder of a run"):
        store.load("results/nope")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of results."""
    return tmp_path / "results"


def _files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_files_store_makes_nothing_before_the_first_cell(root: Path) -> None:
    """A run without a measurement leaves no folder."""
    FilesStore(root).open_run(RUN, "sc-mem-a-b")
    assert not root.exists()


def test_files_store_writes_the_documented_files(root: Path) -> None:
    """The folder has table, comparison, cells and logs; its name, time and arm."""
    writer = FilesStore(root).open_run(RUN, "sc-mem-a-b")
    _add(writer, RUN, CELLS[:1])
    folder = "20261130T123456Z-sc-mem-a-b"
    assert writer.folder == str(root / folder)
    assert _files(root) == [
        f"{folder}/cells.jsonl",
        f"{folder}/compare.json",
        f"{folder}/logs/base-C500.log",
        f"{folder}/table.md",
        "index.md",
    ]
    assert json.loads((root / folder / "compare.json").read_text())["complete"] is False
    assert (root / folder / "logs/base-C500.log").read_text() == (
        "# standard output\nout\n# end of standard error\nerr\n"
    )


def test_files_store_keeps_the_last_summary(root: Path) -> None:
    """A report without a summary does not remove it."""
    writer = FilesStore(root).open_run(RUN, "gate-x")
    _add(writer, RUN, CELLS[:1])
    summary = Path(writer.folder) / "summary.md"
    assert not summary.exists()
    report = report_of(compare(RUN, CELLS[:1], complete=True))
    writer.write(replace(report, summary="in short"))
    writer.write(report)
    assert summary.read_text() == "in short"


def test_files_store_has_no_noise_floor_in_a_torn_file(root: Path) -> None:
    """It is measured again, and the file is no run in the index."""
    store = FilesStore(root)
    place = Path(store.keep_noise_floor(FLOOR))
    assert place == root / "floors" / f"{FLOOR.key}.json"
    place.write_text(place.read_text()[:-20])
    assert store.load_noise_floor(FLOOR.key) is None
    _add(store.open_run(RUN, "x"), RUN, CELLS[:1])
    assert "floors" not in (root / "index.md").read_text()


def test_files_store_reports_a_noise_floor_that_cannot_be_written(tmp_path: Path) -> None:
    """It is an error of the host."""
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(DisturbedError, match="cannot be written to"):
        FilesStore(tmp_path / "results").keep_noise_floor(FLOOR)


def test_files_store_keeps_and_indexes_a_goal_run(root: Path) -> None:
    """The index counts the goals that were met, or lists a damaged record."""
    store = FilesStore(root)
    report = goals_report_of(find_goals(GOAL_RUN, [GOAL_CELL], complete=True))
    older = structs.replace(GOAL_RUN, started_at="2026-11-30T12:34:00Z")
    folders = []
    for run in (older, GOAL_RUN):
        writer = store.open_run(run, "goals-b")
        writer.add_cell(GOAL_CELL, make_observation())
        writer.write(report)
        folders.append(Path(writer.folder))
        (folders[0] / "goals.json").write_text(write_run(report)[:-20])
    record = json.loads((folders[1] / "goals.json").read_text())
    (goal,) = record["derived"]["goals"]
    assert (goal["key"], goal["median"], goal["met"]) == ("hand-8000-latency", 1.5, False)
    rows = (root / "index.md").read_text().splitlines()[4:]
    assert [[part.strip() for part in row.split("|")[2:5]] for row in rows] == [
        ["goals", "–", "0 of 1 goal met"],
        ["cannot be read", "–", "–"],
    ]


def test_files_store_has_a_cell_on_disk_before_the_comparison(root: Path) -> None:
    """A crash right after a cell loses no line."""
    writer = FilesStore(root).open_run(RUN, "x")
    writer.add_cell(CELLS[0], make_observation())
    assert (Path(writer.folder) / "cells.jsonl").read_text().count("\n") == 1


def test_files_store_indexes_every_run_the_newest_first(root: Path) -> None:
    """A damaged run is listed as such; another folder is not listed."""
    store = FilesStore(root)
    for second in (1, 2):
        run = structs.replace(RUN, started_at=f"2026-11-30T12:34:0{second}Z")
        _add(store.open_run(run, "x"), run, CELLS[:1])
    (root / "reference").mkdir()
    (root / "20261130T123401Z-x" / "cells.jsonl").write_text("torn\n")
    _add(store.open_run(RUN, "y"), RUN, CELLS[:1], complete=True)
    rows = [line.split("|")[1:3] for line in (root / "index.md").read_text().splitlines()[4:]]
    assert [(run.strip()[1:19], what.strip()) for run, what in rows] == [
        ("20261130T123456Z-y", "change"),
        ("20261130T123402Z-x", "change (incomplete)"),
        ("20261130T123401Z-x", "cannot be read"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("compare.json", None),
        ("cells.jsonl", None),
        ("compare.json", b"\xff\xfe"),
        ("compare.json", b"{}"),
        ("cells.jsonl", b"{}\n"),
    ],
)
def test_files_store_names_the_file_that_cannot_be_read(
    root: Path, name: str, content: bytes | None
) -> None:
    """Every damage is a usage error with the path."""
    store = FilesStore(root)
    writer = store.open_run(RUN, "x")
    _add(writer, RUN, CELLS[:1])
    spoilt = Path(writer.folder) / name
    spoilt.unlink() if content is None else spoilt.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        store.load(writer.folder)
    assert str(caught.value).startswith(writer.folder)


def test_files_store_leaves_no_half_written_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed write leaves the last comparison, and no other file."""
    store = FilesStore(root)
    writer = store.open_run(RUN, "x")
    _add(writer, RUN, CELLS[:1])
    before = _files(root)

    def fail(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(DisturbedError, match="No space left"):
        writer.write(report_of(compare(RUN, CELLS, complete=True)))
    assert _files(root) == before
    assert store.load(writer.folder)[2] is False


def test_files_store_keeps_hostile_text(root: Path) -> None:
    """The reason of a cell may be text in any script."""
    store = FilesStore(root)
    writer = store.open_run(RUN, "x")
    cell = make_cell(Side.BASE, 500, Outcome.ERRORS, reason="größe\n\x1b[2J|名")
    _add(writer, RUN, [cell])
    assert store.load(writer.folder)[1] == [cell]


def test_files_store_that_cannot_write_is_refused_before_the_first_cell(tmp_path: Path) -> None:
    """It is an error of the host, in one line."""
    (tmp_path / "results").write_text("a file where the folder should be")
    store = FilesStore(tmp_path / "results")
    with pytest.raises(DisturbedError, match=r"cannot be written to .*results: Not a directory"):
        store.open_run(RUN, "sc-mem-a-b")
