"""Counters whose tool is missing or silent, and processes that cannot be counted."""

import tempfile
from pathlib import Path

import pytest

from harness.adapters.counters.local_sides import LocalSideFolders
from harness.adapters.counters.runner import CountingRunner
from harness.adapters.counters.tools import CallgrindCounter, MemoryCounter, StraceCounter
from harness.adapters.host.isolation import Confinement
from harness.adapters.host.trees import read_tree
from harness.analysis.costs.count import Uncounted
from harness.model.nouns import Arm, Drive, Load, Side
from harness.model.tree import Entry, Tree
from harness.verbs.ports import CountSpec
from tests.integration.probe_runs import FAKE

FREE = Confinement(words=(), uid=None, how="unconfined: for a test")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("counter", [StraceCounter, CallgrindCounter])
def test_counter_that_is_not_installed_names_its_package(
    counter: type[StraceCounter | CallgrindCounter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence also names the cost that is not counted."""
    monkeypatch.setenv("PATH", "")
    missing = counter(CountingRunner(confined=lambda: FREE)).find_missing()
    assert " is not counted: " in missing
    assert "apt-get install " in missing


def _spec(place: str) -> CountSpec:
    return CountSpec(
        side=Side.BASE,
        place=place,
        drive=Drive(arm=Arm.SC_MEM, environment={}),
        load=Load(turns=1, ttft_ms=1, tokens=1, tok_ms=1),
        level=1,
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
    counter = MemoryCounter(CountingRunner(confined=lambda: FREE))
    with LocalSideFolders().open({Side.BASE: _with_runtime("import no_such_module\n")}) as places:
        (found,) = counter.count([_spec(places[Side.BASE])])
    reason = "it ended with exit code 1: ModuleNotFoundError: No module named 'no_such_module'"
    assert found == Uncounted(reason=reason, refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_runtime_that_hangs_is_uncounted(temporary: Path) -> None:
    """It is killed at its time limit."""
    counter = MemoryCounter(CountingRunner(confined=lambda: FREE, timeout_s=0.5))
    hanging = _with_runtime("import signal\nsignal.pause()\n")
    with LocalSideFolders().open({Side.BASE: hanging}) as places:
        (found,) = counter.count([_spec(places[Side.BASE])])
    assert found == Uncounted(reason="it did not end within 0.5 s", refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_sessions_that_end_too_soon_are_uncounted(temporary: Path) -> None:
    """A runtime that asks for no turn holds no memory to count."""
    at_once = "def run(chart, *, session_id, **kwargs):\n    return SessionResult(session_id, 'done', {'count': 1})\n"
    counter = MemoryCounter(CountingRunner(confined=lambda: FREE))
    with LocalSideFolders().open({Side.BASE: _with_runtime(FAKE + at_once)}) as places:
        (found,) = counter.count([_spec(places[Side.BASE])])
    reason = "0 of 1 sessions were alive when memory was to be counted"
    assert found == Uncounted(reason=reason, refused=False)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("counter", [StraceCounter, CallgrindCounter])
@pytest.mark.slow
def test_counter_whose_tool_writes_nothing_is_uncounted(
    counter: type[StraceCounter | CallgrindCounter],
    temporary: Path,
) -> None:
    """A missing total is not zero."""
    bin_folder = temporary / "bin"
    bin_folder.mkdir()
    for name in ("strace", "valgrind"):  # they run the program and count nothing
        tool = bin_folder / name
        tool.write_text(
            '#!/bin/sh\nwhile [ "$1" != "-S" ]; do last=$1; shift; done\nexec "$last" "$@"\n'
        )
        tool.chmod(0o755)
    words = ("env", f"PATH={bin_folder}:/usr/bin:/bin")
    runner = CountingRunner(confined=lambda: Confinement(words=words, uid=None, how=""))
    with LocalSideFolders().open({Side.BASE: read_tree(ROOT)}) as places:
        (found,) = counter(runner).count([_spec(places[Side.BASE])])
    assert isinstance(found, Uncounted)
    assert found.reason.endswith(("strace wrote no table", "callgrind wrote no total"))
