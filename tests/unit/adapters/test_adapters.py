"""The small adapters: whose a run is, what pyproject.toml says, what a console shows, what was typed."""

import io
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.adapters.console import lines as console_progress
from harness.adapters.console.lines import ConsoleProgress
from harness.adapters.host import trees as tree_files
from harness.adapters.host.owner import SystemClock, is_alive, own_run_id
from harness.adapters.host.pyproject import read_defaults
from harness.adapters.host.trees import read_tree
from harness.cli import wiring as assembly
from harness.cli.flags import Typed
from harness.model.cells import Knee, Slot
from harness.model.errors import NoBoxError, RepoError, UsageError
from harness.model.nouns import Arm, Drive, Side
from harness.outcome.protocol import ProgressLine
from tests.builders.checkout import Checkout
from tests.builders.model import make_run, ok_cell
from tests.fakes.fake_box import FakeBox


def test_run_ids_are_unique_and_their_owner_alive() -> None:
    """Two runs of one process do not reap each other's containers."""
    one, two = own_run_id(), own_run_id()
    assert one != two
    assert is_alive(one)
    assert is_alive(two)


def test_run_id_of_a_process_that_ended_has_no_owner() -> None:
    """What a killed run left is known by its dead owner."""
    code = "from harness.adapters.owner import own_run_id; print(own_run_id())"
    root = Path(assembly.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"esc-[0-9a-f]{8}-\d+-\d+-0", done.stdout.strip())
    assert not is_alive(done.stdout.strip())


def test_run_id_of_a_process_id_that_was_given_away_has_no_owner() -> None:
    """Another process with the same number, started at another time, is not the owner."""
    _, where, pid, started, number = own_run_id().split("-")
    assert not is_alive(f"esc-{where}-{pid}-{int(started) + 1}-{number}")


def test_run_id_of_another_host_is_left_alone() -> None:
    """A process that cannot be seen from here, on an engine that is shared, may well be running."""
    assert is_alive("esc-0badcafe-1-1-0")


@pytest.mark.parametrize(
    "name",
    ["", "esc", "esc-1-1", "x-1-1-1", "esc-a-1-1", "esc-1-a-1-1", "esc-1-1-1-1-1", "someone"],
)
def test_run_id_of_another_form_has_no_owner(name: str) -> None:
    """A label or a lock that the bench did not write is nobody's."""
    assert not is_alive(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, {}),
        ("[project]\nname = 'x'\n", {}),
        ("[tool.other]\na = 1\n", {}),
        ("[tool.esc-bench]\ncpus = 4\n", {"cpus": 4}),
    ],
)
def test_defaults_are_read_from_pyproject(
    tmp_path: Path, text: str | None, expected: dict[str, object]
) -> None:
    """A checkout without the table, or without the file, has no defaults of its own."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert read_defaults(tmp_path) == expected


@pytest.mark.parametrize("text", [b"[tool", b"\xff", b"tool.esc-bench = 3\n"])
def test_defaults_that_cannot_be_read_are_told(tmp_path: Path, text: bytes) -> None:
    """A broken file is a usage error that names it."""
    (tmp_path / "pyproject.toml").write_bytes(text)
    with pytest.raises(UsageError, match=re.escape(str(tmp_path / "pyproject.toml"))):
        read_defaults(tmp_path)


SLOT = Slot(side=Side.BASE, level=8000, block=0, pair=0)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Put a clock in place whose time is the list's only item."""
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr(console_progress, "time", clock)
    return now


def test_console_tells_what_ends_and_where_it_breaks(seconds: list[float]) -> None:
    """A line a cell and a line a knee, and nothing that a terminal acts on."""
    del seconds
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    progress.say("base \x1b[2Jba5eba5")
    progress.cell_started(SLOT, 1)
    progress.cell_ended(ok_cell(Side.BASE, 8000))
    progress.knee("base", Knee(last_pass=8000, first_fail=None))
    assert stream.getvalue().splitlines() == [
        "base  [2Jba5eba5",
        "C=8,000   base   ok, 1.50× latency-infl, 8 threads, 2 cpu-ms/turn, 100 MB (4.0 s)",
        "base: no knee up to C=8,000",
    ]


def test_console_tells_of_a_long_cell_now_and_then(seconds: list[float]) -> None:
    """A cell that takes minutes is heard of, more and more seldom, and each cell begins anew."""
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    told = []
    progress.cell_started(SLOT, 1)
    for second in range(1, 200):
        seconds[0] = float(second)
        before = stream.tell()
        progress.cell_moved(SLOT, ProgressLine(t_ms=second * 1000.0, done=second, threads=1))
        told += [second] * (stream.tell() > before)
    assert told == [15, 45, 105, 165]
    assert stream.getvalue().splitlines()[0] == (
        "C=8,000   base   … 15 of 8,000 sessions done after 15 s, 1 thread"
    )
    progress.cell_started(SLOT, 2)
    seconds[0] += 15
    progress.cell_moved(SLOT, ProgressLine(t_ms=15_000.0, done=3))
    assert stream.getvalue().splitlines()[-1].endswith("3 of 8,000 sessions done after 15 s")


def test_clock_stamps_are_utc_to_the_second() -> None:
    """Stamps sort as text and name no zone but Z."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", SystemClock().utc_stamp())


def test_tree_files_take_names_that_are_no_text(tmp_path: Path) -> None:
    """A file name of any bytes is read, and is hashed as the probe would."""
    folder = tmp_path / "src/escapement"
    folder.mkdir(parents=True)
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).write_text("")
    (entry,) = read_tree(tmp_path).entries
    assert os.fsencode(entry.path) == b"src/escapement/\xff.py"


def test_tree_files_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission is named, and is not silently left out of the build."""
    (tmp_path / "Dockerfile").write_text("")

    def refuse(path: Path, **_: int) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(tree_files, "read_plain", refuse)
    with pytest.raises(RepoError, match=r"cannot read .*Dockerfile: Permission denied"):
        read_tree(tmp_path)


def test_request_has_each_sides_environment_and_arm(tmp_path: Path) -> None:
    """--env and --arm are for both; what is given for one side wins over them on that side."""
    typed = Typed(
        flags={"cpus": "1"},
        env=["A=both", "B=both"],
        base_env=["A=base"],
        branch_env=["C=branch"],
        arm="sc-ckpt",
        base_arm="hand",
        repo=str(tmp_path),
    )
    assert assembly.make_request(typed).drives == {
        Side.BASE: Drive(arm=Arm.HAND, environment={"A": "base", "B": "both"}),
        Side.BRANCH: Drive(arm=Arm.SC_CKPT, environment={"A": "both", "B": "both", "C": "branch"}),
    }


def test_request_reads_the_defaults_of_the_checkout(tmp_path: Path) -> None:
    """The table is that of the checkout's root, from whichever of its folders one asks."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text("[tool.esc-bench]\nlevels = [7]\ncpus = 1\n")
    (tmp_path / "src/deep").mkdir(parents=True)
    request = assembly.make_request(Typed(repo=str(tmp_path / "src/deep")))
    assert request.settings.levels == (7,)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_world_is_left_in_order_when_it_is_asked_to_end(
    git_checkout: Callable[..., Checkout], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """What ends the program from outside cleans up as Ctrl-C does, and the old handlers come back."""

    class ClosableBox(FakeBox):
        """A fake that has a connection, as the real one does."""

        lock_name = "test"

        def close(self) -> None:
            """Do nothing."""

    monkeypatch.setattr(assembly, "choose_box", lambda _wanted, _say: ClosableBox())
    before = signal.getsignal(number)
    with (
        pytest.raises(KeyboardInterrupt),
        assembly.open_world(str(git_checkout().root), stream=io.StringIO()),
    ):
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_world_of_a_checkout_closes_its_box(
    git_checkout: Callable[..., Checkout], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkout's own folder holds the results, and the engine's connection ends with the block."""
    closed = []

    class ClosableBox(FakeBox):
        """A fake that has a connection, as the real one does."""

        lock_name = "test"

        def close(self) -> None:
            """Note that it was closed."""
            closed.append(self)

    monkeypatch.setattr(assembly, "choose_box", lambda _wanted, _say: ClosableBox())
    checkout = git_checkout()
    with assembly.open_world(str(checkout.root / "src"), stream=io.StringIO()) as world:
        writer = world.store.open_run(make_run(), "x")
        assert Path(writer.folder).parent == checkout.root / "results"
        assert is_alive(world.run_id)
        assert closed == []
    assert len(closed) == 1


class FailingBox(FakeBox):
    """A fake whose engine is gone by the end of a run; it counts how often it is asked to tidy."""

    lock_name = "test"

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def close(self) -> None:
        """Do nothing."""

    def reap(self, run_id: str | None = None) -> list[str]:
        """Fail."""
        del run_id
        self.asked += 1
        msg = "the engine is gone"
        raise NoBoxError(msg)

    def trim(self) -> list[str]:
        """Count."""
        self.asked += 1
        return []


@pytest.mark.parametrize(
    ("given", "asked", "said"),
    [
        ({}, 2, "the engine is gone; `invoke clean` removes what is left\n"),
        ({"dry_run": True}, 0, ""),
    ],
)
def test_world_tidies_as_far_as_it_can(
    git_checkout: Callable[..., Checkout],
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, object],
    asked: int,
    said: str,
) -> None:
    """What cannot be removed is told, the rest is removed all the same, and what runs nothing removes nothing."""
    box = FailingBox()
    monkeypatch.setattr(assembly, "choose_box", lambda _wanted, _say: box)
    stream, root = io.StringIO(), str(git_checkout().root)
    with assembly.open_world(root, turn=assembly.find_turn(given), stream=stream):
        pass
    assert (box.asked, stream.getvalue()) == (asked, said)


def test_run_waits_for_its_turn_unless_it_is_told_not_to() -> None:
    """Only `--no-wait` gives up."""
    assert assembly.find_turn({}).value == "wait"
    assert assembly.find_turn({"no_wait": True}).value == "give up"
