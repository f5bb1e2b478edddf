"""The transcript's lines, and what becomes of rows that can't be written."""

import logging
import os
from pathlib import Path
from typing import NoReturn

import pytest

from escapement.storage.transcript import Row, Scribe
from tests.unit.escapement.scenes import rows


def test_rows_are_numbered_in_order(tmp_path: Path) -> None:
    """Each row has the next number, over all batches."""
    scribe = Scribe(tmp_path / "t.jsonl")
    scribe.write([("one", {"x": 1}), ("two", {})])
    scribe.write([("three", {"call": {"a": 1}})])
    assert rows(tmp_path / "t.jsonl") == [
        {"seq": 0, "type": "one", "x": 1},
        {"seq": 1, "type": "two"},
        {"seq": 2, "type": "three", "call": {"a": 1}},
    ]


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("{}\n", "{}\n"), ('{"seq":0,"ty', '{"seq":0,"ty\n')]
)
def test_torn_line_is_closed_before_the_first_row(tmp_path: Path, before: str, after: str) -> None:
    """What a crash left in the middle of a line doesn't swallow the row after it."""
    path = tmp_path / "t.jsonl"
    path.write_text(before)
    Scribe(path).write([("one", {})])
    assert path.read_text() == after + '{"seq":0,"type":"one"}\n'


def test_only_the_first_write_looks_for_a_torn_line(tmp_path: Path) -> None:
    """Later batches are appended as they are, whatever another writer does to the file."""
    path = tmp_path / "t.jsonl"
    scribe = Scribe(str(path))
    scribe.write([("one", {})])
    path.write_text("torn")
    scribe.write([("two", {})])
    assert path.read_text() == 'torn{"seq":1,"type":"two"}\n'


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is whole even if the system takes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    Scribe(tmp_path / "t.jsonl").write([("one", {"x": 1}), ("two", {})])
    assert len(rows(tmp_path / "t.jsonl")) == 2


def test_batch_that_is_written_in_part_is_closed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fills up in the middle of a line, the row after it still stands alone."""
    path = tmp_path / "t.jsonl"
    scribe, write = Scribe(path), os.write

    def fill_up(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, data[:7])

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fill_up)
    scribe.write([("one", {})])
    monkeypatch.setattr(os, "write", write)
    scribe.write([("two", {})])
    assert scribe.lost == 1
    assert path.read_text() == '{"seq":\n{"seq":1,"type":"two"}\n'


def test_file_that_can_not_be_looked_into_is_written() -> None:
    """A device has no last line to repair."""
    scribe = Scribe("/dev/null")
    scribe.write([("one", {})])
    assert scribe.lost == 0


class Unprintable:
    """An object whose repr fails."""

    def __repr__(self) -> str:
        message = "no"
        raise RuntimeError(message)


class Broken(dict[str, object]):
    """A mapping that fails in a way of its own."""

    def items(self) -> NoReturn:
        """Fail with an error whose text can't be made either."""
        raise BrokenError


class BrokenError(Exception):
    """An error without a text."""

    def __str__(self) -> str:
        message = "no"
        raise RuntimeError(message)


class Odd:
    """An object that JSON doesn't know."""

    def __repr__(self) -> str:
        return "<odd>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Odd(), "<odd>"),
        (Unprintable(), "<unprintable Unprintable>"),
        (float("nan"), "nan"),
        ({("k",): 1}, "{('k',): 1}"),
        (Odd, repr(Odd)),
        (Broken(a=1), "{'a': 1}"),
    ],
    ids=["object", "unprintable", "nan", "key", "class", "broken"],
)
def test_value_that_is_not_json_gives_an_error_and_a_sanitised_row(
    tmp_path: Path, value: object, shown: str
) -> None:
    """A row that JSON can't hold is announced, and written with what can be shown of it."""
    Scribe(tmp_path / "t.jsonl").write([("one", {"good": 1, "bad": value}), ("two", {})])
    error, sanitised, following = rows(tmp_path / "t.jsonl")
    assert (error["seq"], error["type"]) == (0, "error")
    assert "one: not JSON" in str(error["message"])
    assert sanitised == {"seq": 1, "type": "one", "good": 1, "bad": shown}
    assert following == {"seq": 2, "type": "two"}


def test_rows_that_share_a_value_with_a_bad_row_are_whole(tmp_path: Path) -> None:
    """What was under way when a row failed is forgotten: its values are no circle in the next."""
    shared: dict[str, object] = {"x": 1}
    Scribe(tmp_path / "t.jsonl").write(
        [("one", {"both": [shared, object()]}), ("two", {"both": shared})]
    )
    assert rows(tmp_path / "t.jsonl")[2] == {"seq": 2, "type": "two", "both": {"x": 1}}


def test_lines_are_those_of_the_plain_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that lacks the accelerator writes the same bytes."""
    batch: list[Row] = [("one", {"x": [1, {"é": None}], "y": ()}), ("two", {}), ("no", {"z": {1}})]
    Scribe(tmp_path / "fast").write(batch)
    monkeypatch.setattr("escapement.storage.json_line._make_c_encoder", None)
    Scribe(tmp_path / "plain").write(batch)
    assert (tmp_path / "fast").read_bytes() == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=ascii)
def test_path_that_no_system_has_loses_the_rows_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """A transcript under an impossible name is reported, and nothing is raised."""
    scribe = Scribe(tmp_path / name)
    with caplog.at_level(logging.WARNING, logger="escapement"):
        scribe.write([("one", {})])
    assert scribe.lost == 1
    assert "rows of the transcript are lost" in caplog.text


def test_text_that_is_not_unicode_is_written(tmp_path: Path) -> None:
    """A lone surrogate doesn't lose its row."""
    Scribe(tmp_path / "t.jsonl").write([("one", {"x": "\ud800"})])
    assert rows(tmp_path / "t.jsonl") == [{"seq": 0, "type": "one", "x": "\ud800"}]


def test_failed_writes_are_counted_and_reported_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that can't be written costs one warning, and its rows are counted."""
    directory = tmp_path / "later"
    scribe = Scribe(directory / "t.jsonl")
    with caplog.at_level(logging.WARNING, logger="escapement"):
        scribe.write([("one", {}), ("two", {})])
        scribe.write([("three", {})])
    assert scribe.lost == 3
    assert len(caplog.records) == 1
    assert "t.jsonl': rows of the transcript are lost" in caplog.text
    directory.mkdir()
    scribe.write([("four", {})])
    assert rows(directory / "t.jsonl") == [{"seq": 3, "type": "four"}]
