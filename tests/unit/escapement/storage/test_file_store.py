"""Checkpoints in files: complete, safely named, with clear errors."""

import json
import math
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

import pytest
from hypothesis import given, strategies as st

from escapement import Checkpoint, CheckpointError, Event, FileBackedStore, MemoryStore, Timer
from tests.unit.escapement.records import RECORD

FIRST_FORMAT = (
    b'{"format":1,"session":"s","chart":"chart","configuration":["a","b"],'
    b'"data":{"n":1,"text":"\\u00e9"},"pending":[["go",{"x":[1]}]]}'
)


class Changing(dict[str, object]):
    """A mapping that changes during an iteration."""

    def items(self) -> NoReturn:
        """Raise the error of a dictionary that another thread changes."""
        message = "dictionary changed size during iteration"
        raise RuntimeError(message)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_saved_record_is_loaded_unchanged(tmp_path: Path) -> None:
    """Another store on the same directory loads an equal record."""
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD


@given(data=st.dictionaries(st.text(), json_values), session_id=st.text())
def test_any_json_data_and_any_session_id_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, object], session_id: str
) -> None:
    """Plain data under any session id is loaded unchanged."""
    store = FileBackedStore(tmp_path_factory.getbasetemp() / "round-trip")
    record = Checkpoint("chart", ("a",), data)
    store.save(session_id, record)
    assert store.load(session_id) == record


def test_memory_store_keeps_a_reference() -> None:
    """A store in memory returns the same object."""
    store = MemoryStore()
    store.save("s", RECORD)
    assert store.load("s") is RECORD
    assert store.load("other") is None


def test_unknown_session_has_no_record(tmp_path: Path) -> None:
    """A session that was never saved has no checkpoint."""
    assert FileBackedStore(tmp_path / "made" / "here").load("s") is None


@pytest.mark.parametrize(
    "session_id",
    ["../up", "/abs", "..", ".", "", "a/b", "a\0b", "con.json", "a.json.tmp", "\ud800", "é" * 300],
    ids=ascii,
)
def test_session_id_never_leaves_the_directory(tmp_path: Path, session_id: str) -> None:
    """Any session id becomes one file; no temporary file is left."""
    directory = tmp_path / "inner"
    store = FileBackedStore(directory)
    store.save(session_id, RECORD)
    assert store.load(session_id) == RECORD
    assert [path.parent for path in tmp_path.rglob("*.json")] == [directory]
    assert len(list(directory.iterdir())) == 1


def test_long_session_ids_with_a_common_prefix_are_distinct(tmp_path: Path) -> None:
    """Ids too long for a file name are distinguished by their hash."""
    store = FileBackedStore(tmp_path)
    store.save("x" * 500 + "1", RECORD)
    assert store.load("x" * 500 + "2") is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"format":1,"session":"s","chart":"c","conf',
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"format":2,"session":"s","chart":"c","configuration":[],"data":{},"pending":[]}',
        b'{"format":0,"session":"s","chart":"c","configuration":[],"data":{},"pending":[]}',
        b'{"format":"3","session":"s","chart":"c","configuration":[],"data":{},"pending":[]}',
        b'{"format":1,"session":"s","chart":"c","configuration":"ab","data":{},"pending":[]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[],"data":{},"pending":["ab"]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[],"data":{},"pending":[],"x":1}',
        FIRST_FORMAT + b"}",
        b'{"format":1,"session":"t","chart":"c","configuration":[],"data":{},"pending":[]}',
        b'{"format":1,"session":"s","chart":0,"configuration":[],"data":{},"pending":[]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[0],"data":{},"pending":[]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[],"data":[],"pending":[]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[],"data":{},"pending":[1]}',
        b'{"format":1,"session":"s","chart":"c","configuration":[],"data":{},"pending":[[1,2]]}',
        b"[" * 100_000,
    ],
    ids=lambda content: ascii(content[:80]),
)
def test_torn_or_foreign_file_is_named(tmp_path: Path, content: bytes) -> None:
    """The error for a file that is no checkpoint names the file and the action."""
    (tmp_path / "s.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"s\.json: not a checkpoint .* remove it to start"):
        FileBackedStore(tmp_path).load("s")


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    """The error for a file that cannot be read names the file."""
    (tmp_path / "s.json").mkdir()
    with pytest.raises(CheckpointError, match=r"s\.json: cannot read the checkpoint: .*directory"):
        FileBackedStore(tmp_path).load("s")


@pytest.mark.parametrize(
    ("record", "culprit"),
    [
        (Checkpoint("c", ("a",), {"good": 1, "bad": {1, 2}}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {}, (Event("ok"), Event("go", object()))), "pending event 'go'"),
        (Checkpoint("c", ("a",), {("k",): 1}), r"data key \('k',\)"),  # type: ignore[dict-item]
        (Checkpoint("c", ("a",), {"1": 1, 1: 1}), "data key 1"),  # type: ignore[dict-item]
        (Checkpoint("c", ("a",), {"good": 1, "bad": [math.nan]}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": {math.inf: 1}}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": Changing(a=1)}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": 10**5000}), "data key 'bad'"),
        (
            Checkpoint("c", ("a",), {}, timers=(Timer(Event("late", b""), 1),)),
            "delayed event 'late'",
        ),
        (Checkpoint("c", ("a",), {}, timers=(Timer(Event("late"), math.inf),)), "the record"),
    ],
    ids=["data", "pending", "key", "number", "nan", "inf", "changing", "huge", "timer", "due"],
)
def test_data_that_is_not_json_is_named(tmp_path: Path, record: Checkpoint, culprit: str) -> None:
    """The error for a value that is no JSON names its key; the last record stays."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with pytest.raises(CheckpointError, match=f"{culprit} cannot be written as JSON"):
        store.save("s", record)
    assert store.load("s") == RECORD


def test_data_that_holds_itself_is_named(tmp_path: Path) -> None:
    """The error for a value that contains itself names its key."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(CheckpointError, match="data key 'loop'"):
        FileBackedStore(tmp_path).save("s", Checkpoint("c", ("a",), {"loop": loop}))


def test_first_format_is_still_read(tmp_path: Path) -> None:
    """A record of format 1 is loaded, and saved in the current format."""
    (tmp_path / "s.json").write_bytes(FIRST_FORMAT)
    store = FileBackedStore(tmp_path)
    record = store.load("s")
    assert record == RECORD._replace(history={}, timers=())
    assert record is not None
    store.save("s", record)
    assert (tmp_path / "s.json").read_bytes().startswith(b'{"format":2,"crc32":"')
    assert store.load("s") == record


def test_newer_format_is_named(tmp_path: Path) -> None:
    """The error for a newer format names both formats."""
    (tmp_path / "s.json").write_bytes(b'{"format":3}')
    message = r"s\.json: format 3, but this version reads 1 and 2; run .* that wrote it"
    with pytest.raises(CheckpointError, match=message):
        FileBackedStore(tmp_path).load("s")


def test_record_too_deep_for_the_stack_is_not_reported_as_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error for an intact record that is too deep does not suggest to remove it."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)

    def too_deep(_payload: bytes) -> NoReturn:
        message = "maximum recursion depth exceeded"
        raise RecursionError(message)

    monkeypatch.setattr(json, "loads", too_deep)
    with pytest.raises(CheckpointError, match=r"s\.json: maximum .* raise the recursion limit"):
        store.load("s")


def test_record_is_a_line_of_json_with_a_checksum(tmp_path: Path) -> None:
    """The bytes on disk are as documented, so that other programs can read them."""
    FileBackedStore(tmp_path).save("s", RECORD)
    assert (tmp_path / "s.json").read_bytes() == (
        b'{"format":2,"crc32":"343bc431","session":"s","chart":"chart","configuration":["a","b"],'
        b'"data":{"n":1,"text":"\\u00e9"},"pending":[["go",{"x":[1]}]],"history":{"before":["a","c"]},'
        b'"timers":[["late",[1],1796125000.25,"t"],["later",null,1796125001,null]]}'
    )


def test_mapping_that_is_no_dict_is_stored(tmp_path: Path) -> None:
    """Data may be any mapping, for example a read-only view."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD._replace(data=MappingProxyType({"n": 1}), history=MappingProxyType({})))
    assert store.load("s") == RECORD._replace(data={"n": 1}, history={})


def test_surrogates_are_loaded_unchanged(tmp_path: Path) -> None:
    """Text with lone surrogates, such as a file name, is loaded unchanged."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD._replace(data={"\ud800": "\udcff"}))
    assert store.load("s") == RECORD._replace(data={"\ud800": "\udcff"})


def test_very_deep_data_is_named(tmp_path: Path) -> None:
    """A value too deep for JSON is an error that names its key, not a crash."""
    store = FileBackedStore(tmp_path)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CheckpointError, match="data key 'deep' cannot be written as JSON"):
        store.save("s", RECORD._replace(data={"deep": deep}))
