"""The lines of a transcript, and rows that cannot be written."""

import logging
import os
from pathlib import Path
from typing import NoReturn

import pytest

from escapement.storage.transcript import Row, TranscriptWriter
from tests.unit.escapement.scenes import rows


def test_rows_are_numbered_in_order(tmp_path: Path) -> None:
    """Rows are numbered in order across batches."""
    writer = TranscriptWriter(tmp_path / "t.jsonl")
    writer.write([("one", {"x": 1}), ("two", {})])
    writer.write([("three", {"call": {"a": 1}})])
    assert rows(tmp_path / "t.jsonl") == [
        {"seq": 0, "type": "one", "x": 1},
        {"seq": 1, "type": "two"},
        {"seq": 2, "type": "three", "call": {"a": 1}},
    ]


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("{}\n", "{}\n"), ('{"seq":0,"ty', '{"seq":0,"ty\n')]
)
def test_torn_line_is_closed_before_the_first_row(tmp_path: Path, before: str, after: str) -> None:
    """A line torn by a crash is ended, so that the next row has its own line."""
    path = tmp_path / "t.jsonl"
    path.write_text(before)
    TranscriptWriter(path).write([("one", {})])
    assert path.read_text() == after + '{"seq":0,"type":"one"}\n'


def test_only_the_first_write_checks_for_a_torn_line(tmp_path: Path) -> None:
    """Later batches are appended without a check of the file."""
    path = tmp_path / "t.jsonl"
    writer = TranscriptWriter(str(path))
    writer.write([("one", {})])
    path.write_text("torn")
    writer.write([("two", {})])
    assert path.read_text() == 'torn{"seq":1,"type":"two"}\n'


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is complete even if the system writes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    TranscriptWriter(tmp_path / "t.jsonl").write([("one", {"x": 1}), ("two", {})])
    assert len(rows(tmp_path / "t.jsonl")) == 2


def test_partly_written_batch_is_ended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a disk full in the middle of a line, the next row has its own line."""
    path = tmp_path / "t.jsonl"
    writer, write = TranscriptWriter(path), os.write

    def fill_up(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(os, "write", full)
        return write(descriptor, data[:7])

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fill_up)
    writer.write([("one", {})])
    monkeypatch.setattr(os, "write", write)
    writer.write([("two", {})])
    assert writer.lost == 1
    assert path.read_text() == '{"seq":\n{"seq":1,"type":"two"}\n'


def test_device_is_written() -> None:
    """A device has no last line to check."""
    writer = TranscriptWriter("/dev/null")
    writer.write([("one", {})])
    assert writer.lost == 0


class Unprintable:
    """An object whose repr raises."""

    def __repr__(self) -> str:
        message = "no"
        raise RuntimeError(message)


class Broken(dict[str, object]):
    """A mapping that raises an error of its own."""

    def items(self) -> NoReturn:
        """Raise an error whose text raises too."""
        raise BrokenError


class BrokenError(Exception):
    """An error whose text raises."""

    def __str__(self) -> str:
        message = "no"
        raise RuntimeError(message)


class Odd:
    """An object that is no JSON."""

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
    """An error row precedes a row that is no JSON, which is written with reprs."""
    TranscriptWriter(tmp_path / "t.jsonl").write([("one", {"good": 1, "bad": value}), ("two", {})])
    error, sanitised, following = rows(tmp_path / "t.jsonl")
    assert (error["seq"], error["type"]) == (0, "error")
    assert "one: not JSON" in str(error["message"])
    assert sanitised == {"seq": 1, "type": "one", "good": 1, "bad": shown}
    assert following == {"seq": 2, "type": "two"}


def test_rows_that_share_a_value_with_a_bad_row_are_complete(tmp_path: Path) -> None:
    """A failed row leaves no state in the encoder."""
    shared: dict[str, object] = {"x": 1}
    TranscriptWriter(tmp_path / "t.jsonl").write(
        [("one", {"both": [shared, object()]}), ("two", {"both": shared})]
    )
    assert rows(tmp_path / "t.jsonl")[2] == {"seq": 2, "type": "two", "both": {"x": 1}}


def test_lines_are_those_of_the_plain_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter without the C encoder writes the same bytes."""
    batch: list[Row] = [("one", {"x": [1, {"é": None}], "y": ()}), ("two", {}), ("no", {"z": {1}})]
    TranscriptWriter(tmp_path / "fast").write(batch)
    monkeypatch.setattr("escapement.storage.json_line._make_c_encoder", None)
    TranscriptWriter(tmp_path / "plain").write(batch)
    assert (tmp_path / "fast").read_bytes() == (tmp_path / "plain").read_bytes()


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=ascii)
def test_invalid_path_loses_only_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A transcript with an invalid name is logged, and nothing is raised."""
    warnings: list[str] = []  # not caplog: such a name cannot be sent between test processes
    monkeypatch.setattr(
        logging.getLogger("escapement"), "warning", lambda text, *_: warnings.append(text)
    )
    writer = TranscriptWriter(tmp_path / name)
    writer.write([("one", {})])
    assert writer.lost == 1
    assert warnings == ["%r: rows of the transcript are lost: %s"]


def test_text_that_is_not_unicode_is_written(tmp_path: Path) -> None:
    """A row with a lone surrogate is written."""
    TranscriptWriter(tmp_path / "t.jsonl").write([("one", {"x": "\ud800"})])
    assert rows(tmp_path / "t.jsonl") == [{"seq": 0, "type": "one", "x": "\ud800"}]


def test_failed_writes_are_counted_and_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that cannot be written causes one warning, and its rows are counted."""
    directory = tmp_path / "later"
    writer = TranscriptWriter(directory / "t.jsonl")
    with caplog.at_level(logging.WARNING, logger="escapement"):
        writer.write([("one", {}), ("two", {})])
        writer.write([("three", {})])
    assert writer.lost == 3
    assert len(caplog.records) == 1
    assert "t.jsonl': rows of the transcript are lost" in caplog.text
    directory.mkdir()
    writer.write([("four", {})])
    assert rows(directory / "t.jsonl") == [{"seq": 3, "type": "four"}]
