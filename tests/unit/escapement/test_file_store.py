"""Checkpoints in files: whole, safe by name, and clear when they can't be read."""

import fcntl
import json
import math
import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, NoReturn

import pytest
from hypothesis import given, strategies as st

from escapement import Checkpoint, CheckpointError, Event, FileBackedStore, MemoryStore, Timer

RECORD = Checkpoint(
    "chart",
    ("a", "b"),
    {"n": 1, "text": "é"},
    (Event("go", {"x": [1]}),),
    {"before": ("a", "c")},
    (Timer(Event("late", [1]), 1796125000.25, "t"), Timer(Event("later"), 1796125001)),
)
FIRST_FORMAT = (
    b'{"format":1,"session":"s","chart":"chart","configuration":["a","b"],'
    b'"data":{"n":1,"text":"\\u00e9"},"pending":[["go",{"x":[1]}]]}'
)


class Moody(dict[str, object]):
    """A mapping that changes while it is looked at."""

    def items(self) -> NoReturn:
        """Fail as a dictionary does that another thread changes."""
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
        (Checkpoint("c", ("a",), {("k",): 1}), r"data key \('k',\)"),  # type: ignore[dict-item]
        (Checkpoint("c", ("a",), {"1": 1, 1: 1}), "data key 1"),  # type: ignore[dict-item]
        (Checkpoint("c", ("a",), {"good": 1, "bad": [math.nan]}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": {math.inf: 1}}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": Moody(a=1)}), "data key 'bad'"),
        (Checkpoint("c", ("a",), {"bad": 10**5000}), "data key 'bad'"),
        (
            Checkpoint("c", ("a",), {}, timers=(Timer(Event("late", b""), 1),)),
            "delayed event 'late'",
        ),
        (Checkpoint("c", ("a",), {}, timers=(Timer(Event("late"), math.inf),)), "the record"),
    ],
    ids=["data", "pending", "key", "number", "nan", "inf", "moody", "huge", "timer", "due"],
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
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


@contextmanager
def small_files() -> Iterator[None]:
    """Let this process write no file beyond 4096 bytes; the rest of a write is refused.

    For the length of one call alone: what the test runner prints may go to a file too.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_record_that_is_written_in_part_is_removed(tmp_path: Path) -> None:
    """When the system really refuses the rest of a record, nothing of it stays."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    refused = pytest.raises(CheckpointError, match=r"s\.json: can't write .*File too large")
    with refused, small_files():
        store.save("s", Checkpoint("c", ("b",), {"big": "x" * 5000}))
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is whole even if the system takes it in pieces."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:7]))
    FileBackedStore(tmp_path).save("s", RECORD)
    assert FileBackedStore(tmp_path).load("s") == RECORD


def test_first_format_is_still_read(tmp_path: Path) -> None:
    """A session that the first version left goes on, and is saved in the present format."""
    (tmp_path / "s.json").write_bytes(FIRST_FORMAT)
    store = FileBackedStore(tmp_path)
    record = store.load("s")
    assert record == RECORD._replace(history={}, timers=())
    assert record is not None
    store.save("s", record)
    assert (tmp_path / "s.json").read_bytes().startswith(b'{"format":2,"crc32":"')
    assert store.load("s") == record


def test_newer_format_is_named(tmp_path: Path) -> None:
    """A record of a later version is told from a broken one, with both versions."""
    (tmp_path / "s.json").write_bytes(b'{"format":3}')
    message = r"s\.json: format 3, and this version reads 1 and 2; run .* that wrote it"
    with pytest.raises(CheckpointError, match=message):
        FileBackedStore(tmp_path).load("s")


def test_record_that_the_stack_has_no_room_for_is_not_called_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole record that is nested too deeply to be read from here is not to be removed."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)

    def too_deep(_payload: bytes) -> NoReturn:
        message = "maximum recursion depth exceeded"
        raise RecursionError(message)

    monkeypatch.setattr(json, "loads", too_deep)
    with pytest.raises(CheckpointError, match=r"s\.json: maximum .* raise the recursion limit"):
        store.load("s")


def test_record_is_a_line_of_json_with_a_checksum(tmp_path: Path) -> None:
    """The bytes on disk are as documented, so that other programs may read them."""
    FileBackedStore(tmp_path).save("s", RECORD)
    assert (tmp_path / "s.json").read_bytes() == (
        b'{"format":2,"crc32":"343bc431","session":"s","chart":"chart","configuration":["a","b"],'
        b'"data":{"n":1,"text":"\\u00e9"},"pending":[["go",{"x":[1]}]],"history":{"before":["a","c"]},'
        b'"timers":[["late",[1],1796125000.25,"t"],["later",null,1796125001,null]]}'
    )


def test_mapping_that_is_no_dict_is_stored(tmp_path: Path) -> None:
    """Data may be any mapping: a read-only view, for one."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD._replace(data=MappingProxyType({"n": 1}), history=MappingProxyType({})))
    assert store.load("s") == RECORD._replace(data={"n": 1}, history={})


def test_surrogates_come_back(tmp_path: Path) -> None:
    """A text that is not Unicode, such as an odd file name, is kept as it is."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD._replace(data={"\ud800": "\udcff"}))
    assert store.load("s") == RECORD._replace(data={"\ud800": "\udcff"})


def test_very_deep_data_is_named_or_comes_back(tmp_path: Path) -> None:
    """However deep a value is, it is kept or named, and never takes the process down."""
    store = FileBackedStore(tmp_path)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(CheckpointError, match="data key 'deep' can't be written as JSON"):
        store.save("s", RECORD._replace(data={"deep": deep}))


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    """A half-written record is never read, and the next save takes its place."""
    (tmp_path / "s.json.tmp").write_bytes(b'{"format":2,' + b" " * 10_000)
    store = FileBackedStore(tmp_path)
    assert store.load("s") is None
    store.save("s", RECORD)
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_session_that_another_process_saves_is_refused(tmp_path: Path) -> None:
    """Two that save one session at the same moment can't mix their records: one is told."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with (tmp_path / "s.json.tmp").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(CheckpointError, match=r"s\.json: another process is saving .* 's'"):
            store.save("s", Checkpoint("c", ("b",), {}))
    assert store.load("s") == RECORD


@pytest.mark.parametrize("fate", ["put in place", "removed", "removed empty", "replaced"])
def test_temporary_file_that_changes_hands_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fate: str
) -> None:
    """What another process renames or removes between opening and locking is left as it is."""
    path, temporary = tmp_path / "s.json", tmp_path / "s.json.tmp"
    record = b"" if fate == "removed empty" else b"the other's record"
    seen: list[BinaryIO] = []

    def lock(descriptor: int, operation: int) -> None:
        if not seen:
            os.write(descriptor, record)
            seen.append(temporary.open("rb"))
            temporary.rename(path)
            if fate.startswith("removed"):
                path.unlink()
            if fate == "replaced":
                temporary.write_bytes(b"of a third")
        fcntl.flock(descriptor, operation)

    monkeypatch.setattr("escapement.file_store.flock", lock)
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    with seen[0] as theirs:
        assert theirs.read() == record
    assert store.load("s") == RECORD
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_threads_that_save_one_session_never_corrupt_it(tmp_path: Path) -> None:
    """Many that save one session at once get errors at worst; every record that is read is whole."""
    stores = [FileBackedStore(tmp_path) for _ in range(4)]
    records = [RECORD._replace(data={"of": i, "text": f"{i}" * 3000 * i}) for i in range(4)]
    stores[0].save("s", records[0])

    def save(i: int) -> int:
        refused = 0
        for _ in range(100):
            try:
                stores[i].save("s", records[i])
            except CheckpointError as error:
                assert "another process" in str(error)  # noqa: PT017  any other is a failure
                refused += 1
            assert stores[i].load("s") in records
        return refused

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(save, range(4))) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["s.json"]


def test_folder_that_vanishes_is_named(tmp_path: Path) -> None:
    """A store whose folder was removed says so, and doesn't go on in an empty one."""
    store = FileBackedStore(tmp_path / "inner")
    (tmp_path / "inner").rmdir()
    with pytest.raises(CheckpointError, match=r"inner/s\.json: can't write .*No such file"):
        store.save("s", RECORD)
    assert store.load("s") is None


def test_store_works_without_the_c_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that lacks the accelerator writes the same bytes."""
    FileBackedStore(tmp_path).save("s", RECORD)
    fast = (tmp_path / "s.json").read_bytes()
    monkeypatch.setattr("escapement.encoder._make_c_encoder", None)
    FileBackedStore(tmp_path).save("s", RECORD)
    assert (tmp_path / "s.json").read_bytes() == fast


@pytest.fixture
def nobody() -> Iterator[None]:
    """Take from this process what root may do."""
    before = os.geteuid()
    if not before:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_file_that_may_not_be_read_is_named(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A record that belongs to somebody else is named, and not taken for one that isn't there."""
    store = FileBackedStore(tmp_path)
    store.save("s", RECORD)
    (tmp_path / "s.json").chmod(0)
    request.getfixturevalue("nobody")
    with pytest.raises(
        CheckpointError, match=r"s\.json: can't read .*Permission denied.*readable"
    ):
        store.load("s")


@pytest.mark.parametrize("name", ["s.json", "s.json.tmp"])
def test_folder_in_a_records_place_is_named(tmp_path: Path, name: str) -> None:
    """A folder where a record belongs is left as it is, and nothing is left beside it."""
    (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=r"s\.json: can't write .*Is a directory"):
        FileBackedStore(tmp_path).save("s", RECORD)
    assert [path.name for path in tmp_path.iterdir()] == [name]
