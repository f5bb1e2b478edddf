"""Damaged results, links in their place, and the logs of cells."""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from harness.adapters.results.record import SCHEMA_VERSION
from harness.adapters.results.store import FilesStore, log_text
from harness.model.errors import DisturbedError, UsageError
from harness.model.gate import NoiseFloor
from harness.model.nouns import Side
from harness.verbs.housekeeping import show_run
from harness.verbs.ports import RunWriter
from tests.builders.model import make_cell, make_observation, make_side, ok_cell
from tests.contract.test_store import CELLS, FLOOR, RUN, _add
from tests.fakes.fake_store import FakeStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of results."""
    return tmp_path / "results"


def _folder_in_place(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


SPOILINGS = [
    *(
        pytest.param(name, spoil, id=f"{name} {what}")
        for name in ("compare.json", "cells.jsonl")
        for what, spoil in (
            ("is gone", Path.unlink),
            ("is a folder", _folder_in_place),
            ("is garbage", _write(b"\x00\xff\xfe\x80\n" * 9)),
            ("is something else", _write(b'{"a": [1]}\n')),
        )
    ),
    pytest.param("compare.json", _write(b""), id="compare.json is empty"),
    pytest.param("compare.json", _write(b"[" * 100_000), id="compare.json is nested deep"),
    pytest.param("cells.jsonl", _write(b"[" * 100_000 + b"\n"), id="a cell is nested deep"),
    pytest.param("compare.json", _write(b'{"schema": 99}'), id="compare.json is of the future"),
    pytest.param("cells.jsonl", _write(b"{torn\n{}\n"), id="cells.jsonl has a bad line"),
]


@pytest.mark.parametrize(("name", "spoil"), SPOILINGS)
def test_damaged_run_is_one_line_and_stops_no_other(
    root: Path, name: str, spoil: Callable[[Path], object]
) -> None:
    """The error names the file, the index lists it, and the next run is written."""
    store = FilesStore(root)
    writer = store.open_run(RUN, "spoilt")
    _add(writer, RUN, CELLS[:1])
    spoil(Path(writer.folder) / name)
    for look in (
        lambda: show_run(store, writer.folder, {}),
        lambda: store.load(Path(writer.folder).name),
    ):
        with pytest.raises(UsageError) as caught:
            look()
        assert str(caught.value).startswith(writer.folder)
        assert "\n" not in str(caught.value)
    whole = FilesStore(root).open_run(RUN, "whole")
    _add(whole, RUN, CELLS[:1], complete=True)
    rows = (root / "index.md").read_text().splitlines()[4:]
    assert ["cannot be read" in row for row in rows] == [False, True]
    assert store.load(whole.folder) == (RUN, CELLS[:1], True)


@pytest.mark.parametrize(
    ("kind", "sides"),
    [("compare", [Side.BRANCH]), ("ramp", list(Side)), ("gate", []), ("goals", [])],
)
def test_record_with_other_sides_than_its_kind_is_refused(
    root: Path, kind: str, sides: list[Side]
) -> None:
    """Derived values depend on the sides."""
    run = structs.replace(RUN, kind=kind)
    writer = FilesStore(root).open_run(RUN, "x")
    _add(writer, RUN, CELLS[:1])
    record = Path(writer.folder) / "compare.json"
    names = {side: make_side(side) for side in sides}
    spoilt = structs.replace(run, sides=tuple(names.values()))
    record.write_text(_record_of(spoilt))
    with pytest.raises(UsageError, match=f"a run of kind {kind} has"):
        FilesStore(root).load(writer.folder)


def test_stored_values_that_no_run_measures_are_a_usage_error() -> None:
    """A figure that was edited by hand is not an internal error."""
    store = FakeStore()
    writer = store.open_run(RUN, "edited")
    for side, value in ((Side.BASE, -1.0), (Side.BRANCH, 1.0)):
        writer.add_cell(ok_cell(side, 500, latency_infl=value), make_observation())
    with pytest.raises(UsageError, match="holds values that no run measures: math domain error"):
        show_run(store, writer.folder, {})


def _record_of(run: object) -> str:
    stored = {"schema": SCHEMA_VERSION, "complete": False, "run": run, "derived": {}}
    return msgspec.json.encode(stored).decode()


def test_index_that_is_a_folder_is_refused_before_the_first_cell(root: Path) -> None:
    """Nothing is measured in vain."""
    (root / "index.md").mkdir(parents=True)
    with pytest.raises(
        DisturbedError,
        match=r"index\.md is a folder, but must be the index of all runs — move it away",
    ):
        FilesStore(root).open_run(RUN, "x")


def test_results_that_are_a_file_are_refused(root: Path) -> None:
    """Reading and writing report it in one line."""
    root.write_text("")
    with pytest.raises(UsageError, match="is not the folder of a run"):
        FilesStore(root).load("STAMP")
    with pytest.raises(DisturbedError, match="cannot be written to"):
        FilesStore(root).open_run(RUN, "x")
    assert FilesStore(root).prune() == []


def _run_in(store: FilesStore) -> RunWriter:
    writer = store.open_run(RUN, "x")
    _add(writer, RUN, CELLS[:1])
    return writer


@pytest.mark.parametrize("name", ["", "logs", "cells.jsonl"])
def test_resuming_through_a_link_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    """The target of the link is not changed."""
    folder = Path(_run_in(FilesStore(root)).folder)
    outside = (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(outside)
    before = sorted((p, p.is_file() and p.read_bytes()) for p in (outside, *outside.rglob("*")))
    with pytest.raises(UsageError) as caught:
        FilesStore(root).reopen_run(str(folder), RUN, CELLS[:1])
    assert "is a symbolic link to" in caught.value.what or "is not in" in caught.value.what
    after = sorted((p, p.is_file() and p.read_bytes()) for p in (outside, *outside.rglob("*")))
    assert after == before


def test_results_that_are_a_link_are_refused(root: Path, tmp_path: Path) -> None:
    """Results and noise floors are written inside the checkout only."""
    outside = tmp_path / "outside"
    outside.mkdir()
    root.symlink_to(outside)
    with pytest.raises(
        UsageError, match=r"results is a symbolic link to .*outside — .* inside the checkout only"
    ):
        FilesStore(root).open_run(RUN, "x")
    with pytest.raises(UsageError, match="is a symbolic link"):
        FilesStore(root).keep_noise_floor(FLOOR)
    root.unlink()
    root.mkdir()
    (root / "floors").symlink_to(outside)
    with pytest.raises(UsageError, match="floors is a symbolic link"):
        FilesStore(root).keep_noise_floor(structs.replace(FLOOR, key="f" * 16))
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["table.md", "compare.json"])
def test_file_that_is_a_link_is_replaced_and_not_followed(
    root: Path, tmp_path: Path, name: str
) -> None:
    """The target of the link is not changed."""
    writer = _run_in(FilesStore(root))
    outside = tmp_path / "outside"
    outside.write_text("mine")
    place = Path(writer.folder) / name
    place.unlink()
    place.symlink_to(outside)
    _add(writer, RUN, CELLS)
    assert outside.read_text() == "mine"
    assert not place.is_symlink()


def test_line_is_not_appended_through_a_link(root: Path, tmp_path: Path) -> None:
    """The link may appear after the run was opened."""
    writer = _run_in(FilesStore(root))
    outside = tmp_path / "outside"
    outside.write_text("mine")
    place = Path(writer.folder) / "cells.jsonl"
    place.unlink()
    place.symlink_to(outside)
    with pytest.raises(DisturbedError, match="cannot be written to"):
        writer.add_cell(CELLS[1], make_observation())
    assert outside.read_text() == "mine"


def test_noise_floor_that_is_a_folder_is_none(root: Path) -> None:
    """It is measured again, and the failure to store it is reported."""
    (root / "floors" / f"{FLOOR.key}.json").mkdir(parents=True)
    assert FilesStore(root).load_noise_floor(FLOOR.key) is None
    with pytest.raises(DisturbedError, match="Is a directory"):
        FilesStore(root).keep_noise_floor(NoiseFloor(**structs.asdict(FLOOR)))


def test_log_escapes_control_characters() -> None:
    """Escapes, returns and direction marks are escaped; any script stays text."""
    text = log_text("größe 名\t\x1b[2J\x9b\r\nnext", ("\u202egnp.exe", "\x00\x7f", "\ud800"))
    assert text == (
        "# standard output\ngröße 名\t\\x1b[2J\\x9b\\r\nnext\n"
        "# end of standard error\n\\u202egnp.exe\n\\x00\\x7f\n\\ud800\n"
    )


def test_log_keeps_the_beginning_and_the_end_of_a_long_stream() -> None:
    """It holds 64 Ki and 1 Mi characters of each stream, and the number left out."""
    first, last = "a" * (64 << 10), "b" * (1 << 20)
    text = log_text(f"{first}{'-' * 12_345}{last}", (first + last,))
    stream = f"{first}\n# 12,345 characters are left out here\n{last}"
    assert io.StringIO(text).readline() == "# standard output\n"
    assert text.startswith(f"# standard output\n{stream}\n# end of standard error\n{first}{last}")


def test_cell_is_stored_with_its_log_escaped(root: Path) -> None:
    """The output of a branch is data on disk too."""
    writer = FilesStore(root).open_run(RUN, "x")
    writer.add_cell(make_cell(log="logs/x.log"), make_observation(stdout="\x1b]0;title\x07"))
    assert (Path(writer.folder) / "logs/x.log").read_bytes().count(b"\x1b") == 0
