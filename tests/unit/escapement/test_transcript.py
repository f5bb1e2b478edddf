"""The transcript's lines, and what becomes of rows that can't be written."""

import logging
from pathlib import Path

import pytest

from escapement.transcript import Scribe
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


class Unprintable:
    """An object whose repr fails."""

    def __repr__(self) -> str:
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
    ],
    ids=["object", "unprintable", "nan", "key", "class"],
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
    assert "t.jsonl: rows of the transcript are lost" in caplog.text
    directory.mkdir()
    scribe.write([("four", {})])
    assert rows(directory / "t.jsonl") == [{"seq": 3, "type": "four"}]
