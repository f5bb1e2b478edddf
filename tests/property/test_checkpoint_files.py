"""No damage to a checkpoint's file is ever taken for another record."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from escapement import Checkpoint, CheckpointError, Event, FileBackedStore, Timer

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # characters of all planes, and what JSON escapes
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.builds(Event, st.text(min_size=1, max_size=9), JSON)
WALL_S = st.floats(0, 1e11) | st.integers(0, 10**11)
RECORDS = st.builds(
    Checkpoint,
    chart_id=st.text(max_size=9),
    configuration=st.lists(st.text(max_size=9), max_size=3).map(tuple),
    data=st.dictionaries(st.text(max_size=9), JSON, max_size=4),
    pending=st.lists(EVENTS, max_size=2).map(tuple),
    history=st.dictionaries(st.text(max_size=9), st.lists(st.text(max_size=9)).map(tuple)),
    timers=st.lists(st.builds(Timer, EVENTS, WALL_S, st.none() | st.text(max_size=9))).map(tuple),
)
RECORD = Checkpoint(
    "chart",
    ("a", "b"),
    {"count": 1, "text": "é", "chunks": ["00000001", "00000002"]},
    (Event("go", {"x": [1]}),),
    {"before": ("a",)},
    (Timer(Event("late"), 1796125000.25, "t"),),
)

Damage = Callable[[bytes], bytes]


def _flip(place: float, bit: int) -> Damage:
    def flip(payload: bytes) -> bytes:
        index = int(place * len(payload))
        return payload[:index] + bytes([payload[index] ^ 1 << bit]) + payload[index + 1 :]

    return flip


def _splice(start: float, length: int, new: bytes) -> Damage:
    def splice(payload: bytes) -> bytes:
        index = int(start * len(payload))
        return payload[:index] + new + payload[index + length :]

    return splice


PLACES = st.floats(0, 1, exclude_max=True)
DAMAGES = st.builds(_flip, PLACES, st.integers(0, 7)) | st.builds(
    _splice, PLACES, st.integers(0, 4096), st.binary(max_size=12)
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[FileBackedStore, Path]:
    """Provide a store, and the file of its session `s`."""
    folder = tmp_path_factory.mktemp("store")
    return FileBackedStore(folder), folder / "s.json"


@given(record=RECORDS)
def test_checkpoints_come_back_as_they_were_saved(
    store: tuple[FileBackedStore, Path], record: Checkpoint
) -> None:
    """Whatever a checkpoint holds, it is loaded as it was saved."""
    store[0].save("s", record)
    assert store[0].load("s") == record


@given(record=RECORDS, damages=st.lists(DAMAGES, min_size=1, max_size=4))
def test_damage_is_never_taken_for_another_record(
    store: tuple[FileBackedStore, Path], record: Checkpoint, damages: list[Damage]
) -> None:
    """A damaged file is an error that names it, or still the same record."""
    files, path = store
    files.save("s", record)
    payload = whole = path.read_bytes()
    for damage in damages:
        payload = damage(payload) or b"\0"
    path.write_bytes(payload)
    if payload == whole:
        assert files.load("s") == record
    else:
        with pytest.raises(CheckpointError, match=r"s\.json: .*(restore|version that wrote it)"):
            files.load("s")


def test_every_single_flipped_bit_is_found(store: tuple[FileBackedStore, Path]) -> None:
    """There is no bit of a record that may change unseen."""
    files, path = store
    files.save("s", RECORD)
    whole = path.read_bytes()
    for index in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[index] ^= 1 << bit
            path.write_bytes(damaged)
            with pytest.raises(CheckpointError, match=r"s\.json: "):
                files.load("s")


def test_every_beginning_of_a_record_is_refused(store: tuple[FileBackedStore, Path]) -> None:
    """A truncated record is an error, and so is one with trailing bytes."""
    files, path = store
    files.save("s", RECORD)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(
            CheckpointError, match=r"s\.json: not a checkpoint .* restore the file"
        ):
            files.load("s")
    path.write_bytes(whole + b"\n")
    with pytest.raises(CheckpointError, match="checksum"):
        files.load("s")
