"""Checkpoints in files: whole, safe by name, and clear when they can't be read."""

import os
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given, strategies as st

from escapement import Checkpoint, CheckpointError, Event, FileBackedStore, MemoryStore

RECORD = Checkpoint("chart", ("a", "b"), {"n": 1, "text": "é"}, (Event("go", {"x": [1]}),))

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def test_record_comes_back_as_it_was(tmp_path: Path) -> None:
    """What was saved is what is loaded, by another store on the same directory."""
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD


@given(data=st.dictionaries(st.text(), json_values), session_id=st.text())
def test_any_json_data_and_any_session_id_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, object], session_id: str
) -> None:
    """Plain data under any session id is loaded as it was saved."""
    store = FileBackedStore(tmp_path_factory.getbasetemp() / "round-trip")
    record = Checkpoint("chart", ("a",), data)
    store.save(session_id, record)
    assert store.load(session_id) == record


def test_memory_store_keeps_a_reference() -> None:
    """A record in memory is the record itself."""
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
    """Any session id becomes one file in the store's directory, and no temporary one is left."""
    directory = tmp_path / "inner"
    store = FileBackedStore(directory)
    store.save(session_id, RECORD)
    assert store.load(session_id) == RECORD
    assert [path.parent for path in tmp_path.rglob("*.json")] == [directory]
    assert len(list(directory.iterdir())) == 1


def test_long_session_ids_with_one_beginning_stay_apart(tmp_path: Path) -> None:
    """Ids too long for a file name are told apart by their hash."""
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
    """A file that isn't a checkpoint of this session is named, with what to do about it."""
    (tmp_path / "s.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"s\.json: not a checkpoint .* remove it to start"):
        FileBackedStore(tmp_path).load("s")


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that the system won't read is named."""
    (tmp_path / "s.json").mkdir()
    with pytest.raises(CheckpointError, match=r"s\.json: can't read the checkpoint: .*directory"):
        FileBackedStore(tmp_path).load("s")


@pytest.mark.parametrize(
    ("record", "culprit"),
    [
        (Checkpoint("c", ("a",), {"good": 1, "bad": {1, 2}}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {}, (Event("ok"), Event("go", object()))), "pending event 'go'"),
        (Checkpoint("c", ("a",), {("k",): 1}), "the record"),  # type: ignore[dict-item]
    ],
    ids=["data", "pending", "key"],
)
def test_data_that_is_not_json_is_named(tmp_path: Path, record: Checkpoint, culprit: str) -> None:
    """A value that JSON can't hold is named by its key, and the last record stays."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with pytest.raises(CheckpointError, match=f"{culprit} can't be written as JSON"):
        store.save("s", record)
    assert store.load("s") == RECORD


def test_data_that_holds_itself_is_named(tmp_path: Path) -> None:
    """A value that contains itself is named by its key."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(CheckpointError, match="data key 'loop'"):
        FileBackedStore(tmp_path).save("s", Checkpoint("c", ("a",), {"loop": loop}))


def test_directory_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    """A store where a file stands is refused at once."""
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file: can't keep checkpoints there"):
        FileBackedStore(tmp_path / "file")


def test_failed_write_keeps_the_last_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk fails, the checkpoint before still stands."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)

    def full(*_: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(CheckpointError, match=r"s\.json: can't write .*No space left on device"):
        store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is whole even if the system takes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD
