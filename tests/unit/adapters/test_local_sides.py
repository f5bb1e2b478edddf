"""Local environments: where a side's tree is put, how its processes are held, and that nothing stays."""

import sys
import tempfile
from pathlib import Path

import pytest

from harness.adapters.counters.counted_run import CountedRuns
from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.host.isolation import Confinement, find_confinement
from harness.adapters.host.trees import read_tree
from harness.analysis.costs.count import Uncounted
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.tree import Entry, Tree
from harness.verbs.ports import CountSpec
from tests.builders.model import make_tree
from tests.integration.probe_runs import FAKE

FREE = Confinement(words=(), uid=None, how="unconfined: for a test")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_sides_are_put_into_folders_of_one_length(temporary: Path) -> None:
    """A path that is longer on one side would cost that side."""
    entries = make_tree(pump="SPEED = 1\n").entries
    link = Entry(path="src/escapement/link.py", kind="link", content=b"pump.py")
    tool = Entry(path="src/tool", kind="file", content=b"#!/bin/sh\n", executable=True)
    trees = {Side.BASE: Tree((*entries, link, tool)), Side.BRANCH: make_tree()}
    with LocalSideFolders().open(trees) as places:
        base, branch = places[Side.BASE], places[Side.BRANCH]
        assert base != branch
        assert len(base) == len(branch)
        assert read_tree(Path(base)).subject_hash == trees[Side.BASE].subject_hash
        assert Path(base, "src/tool").stat().st_mode & 0o777 == 0o755
        assert list(Path(base, "src/escapement/__pycache__").glob("pump.*.pyc"))
    assert list(temporary.iterdir()) == []


def test_sides_of_two_runs_have_paths_of_one_length(temporary: Path) -> None:
    """A longer name would cost each file that is opened a little more."""
    places = []
    for _ in range(2):
        with LocalSideFolders().open({Side.BASE: make_tree()}) as opened:
            places.append(opened[Side.BASE])
            LocalSideFolders().open({})  # another run leaves it alone, as its owner lives
    first, second = places
    assert first != second
    assert (
        len(first) == len(second) == len(f"{temporary}/esc-bench-count-esc-01234567/side-0") + 39
    )
    assert list(temporary.iterdir()) == []


def test_sides_are_removed_when_the_block_raises(temporary: Path) -> None:
    """Ctrl-C leaves no folder."""
    sides = LocalSideFolders()
    with pytest.raises(KeyboardInterrupt), sides.open({Side.BASE: make_tree()}):
        raise KeyboardInterrupt
    assert list(temporary.iterdir()) == []


def test_sides_of_a_runtime_that_does_not_parse_are_put_there(temporary: Path) -> None:
    """What is wrong with it is told by the process that imports it."""
    with LocalSideFolders().open({Side.BASE: make_tree(pump="def\n")}) as places:
        assert Path(places[Side.BASE], "src/escapement/pump.py").read_text() == "def\n"
    assert list(temporary.iterdir()) == []


def test_sides_that_a_killed_run_left_are_removed_by_the_next(temporary: Path) -> None:
    """A folder without a living owner is nobody's; what is not ours is left alone."""
    (temporary / "esc-bench-count-esc-1-1-1").mkdir()
    (temporary / "esc-bench-count-else").mkdir()
    with LocalSideFolders().open({}):
        pass
    assert [folder.name for folder in temporary.iterdir()] == ["esc-bench-count-else"]


def test_confinement_is_the_first_way_that_works(tmp_path: Path) -> None:
    """A way in which this interpreter does not run is passed over."""
    no_such = Confinement(words=("/no/such/program",), uid=None, how="by nothing")
    failing = Confinement(words=("false",), uid=None, how="by nothing")
    other = Confinement(words=("echo",), uid=None, how="by another interpreter")
    works = Confinement(words=("env", "--"), uid=None, how="by env")
    found = find_confinement(tmp_path, (no_such, failing, other, works))
    assert found.how == "by env"
    assert tuple(found.words[:2]) == ("env", "--")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("/no/such/program",), "unconfined: /no/such/program cannot be run: "),
        (("false",), "unconfined: false ended with exit code 1"),
        (("sh", "-c", "echo not allowed >&2; exit 1"), "unconfined: not allowed"),
        (("echo",), "unconfined: another interpreter runs there: "),
    ],
)
def test_confinement_that_is_none_says_why(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    """Counting goes on, and the table says what did not work."""
    found = find_confinement(tmp_path, (Confinement(words=words, uid=None, how="somehow"),))
    assert found.how.startswith(why)
    assert found.uid is None


def test_confinement_of_this_host_is_found_once(temporary: Path) -> None:
    """What it says of itself is one sentence, whoever runs this."""
    sides = LocalSideFolders()
    assert sides.confined is sides.confined
    assert sides.confinement.startswith(("unprivileged", "without", "as this user", "unconfined"))
    assert sides.python.endswith(f" {sys.version.split()[0]}")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("counter", [StraceCounter, CallgrindCounter])
def test_counter_that_is_not_installed_says_how_to_get_it(
    counter: type[StraceCounter | CallgrindCounter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is named, and what is not counted without it."""
    monkeypatch.setenv("PATH", "")
    missing = counter(CountedRuns(confined=lambda: FREE)).find_missing()
    assert " is not counted: " in missing
    assert "apt-get install " in missing


def _order(place: str, level: int = 1, **environment: str) -> CountSpec:
    return CountSpec(
        side=Side.BASE,
        place=place,
        drive=Drive(arm=Arm.SC_MEM, environment=environment),
        load=Load(turns=1, ttft_ms=1, tokens=1, tok_ms=1),
        level=level,
    )


def _with_runtime(text: str) -> Tree:
    """Return the working tree with another runtime, of one module."""
    kept = [one for one in read_tree(ROOT).entries if not one.path.startswith("src/")]
    return Tree(
        (*kept, Entry(path="src/escapement/__init__.py", kind="file", content=text.encode()))
    )


@pytest.mark.slow
def test_runtime_that_crashes_is_uncounted(temporary: Path) -> None:
    """The last line of its traceback is the reason."""
    counter = MemoryCounter(CountedRuns(confined=lambda: FREE))
    with LocalSideFolders().open({Side.BASE: _with_runtime("import no_such_module\n")}) as places:
        (found,) = counter.count([_order(places[Side.BASE])])
    reason = "it ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'"
    assert found == Uncounted(reason=reason, refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_runtime_that_hangs_is_uncounted(temporary: Path) -> None:
    """Its time is limited, and it is killed."""
    counter = MemoryCounter(CountedRuns(confined=lambda: FREE, timeout_s=0.5))
    hanging = _with_runtime("import signal\nsignal.pause()\n")
    with LocalSideFolders().open({Side.BASE: hanging}) as places:
        (found,) = counter.count([_order(places[Side.BASE])])
    assert found == Uncounted(reason="it was not over after 0.5 s", refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_sessions_that_are_over_too_soon_are_uncounted(temporary: Path) -> None:
    """A runtime that asks for no turn holds nothing when it is looked at."""
    at_once = "def run(chart, *, session_id, **kwargs):\n    return SessionResult(session_id, 'done', {'count': 1})\n"
    counter = MemoryCounter(CountedRuns(confined=lambda: FREE))
    with LocalSideFolders().open({Side.BASE: _with_runtime(FAKE + at_once)}) as places:
        (found,) = counter.count([_order(places[Side.BASE])])
    reason = "0 of 1 sessions were alive when memory was to be counted"
    assert found == Uncounted(reason=reason, refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("counter", [StraceCounter, CallgrindCounter])
@pytest.mark.slow
def test_counter_whose_tool_writes_nothing_is_uncounted(
    counter: type[StraceCounter | CallgrindCounter],
    temporary: Path,
) -> None:
    """A total that is not there is not zero."""
    bin_folder = temporary / "bin"
    bin_folder.mkdir()
    for name in ("strace", "valgrind"):  # stand-ins that run the program and count nothing
        tool = bin_folder / name
        tool.write_text(
            '#!/bin/sh\nwhile [ "$1" != "-S" ]; do last=$1; shift; done\nexec "$last" "$@"\n'
        )
        tool.chmod(0o755)
    runs = CountedRuns(
        confined=lambda: Confinement(
            words=("env", f"PATH={bin_folder}:/usr/bin:/bin"), uid=None, how=""
        )
    )
    with LocalSideFolders().open({Side.BASE: read_tree(ROOT)}) as places:
        (found,) = counter(runs).count([_order(places[Side.BASE])])
    assert isinstance(found, Uncounted)
    assert found.reason.endswith(("strace wrote no table", "callgrind wrote no total"))
