"""Switches for tests that need an engine, and git checkouts without user settings."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from harness.adapters.docker import engine as docker_engine
from tests.builders.checkout import Checkout
from tests.hosts.docker_side import images_kept

_SKIPPED = pytest.StashKey[list[str]]()


_SWITCHES = {
    "docker": "reach for a Docker engine",
    "cgroup": "make control groups",
    "watchdog": "watch and kill processes",
    "counters": "need valgrind and strace",
}


def _asked_for(config: pytest.Config) -> set[str]:
    """Return the marks that their switch is given for."""
    return {mark for mark in _SWITCHES if config.getoption(f"--run-{mark}")}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switches without which no test reaches for what a host may lack."""
    for mark, what in _SWITCHES.items():
        parser.addoption(
            f"--run-{mark}",
            action="store_true",
            help=f"run the tests marked {mark}, which {what}; one that is skipped fails the run",
        )


def pytest_configure(config: pytest.Config) -> None:
    """Make room for what is to be told of tests that were asked for and did not run."""
    config.stash[_SKIPPED] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for."""
    left_out = _SWITCHES.keys() - _asked_for(config)
    kept = [item for item in items if not left_out.intersection(item.keywords)]
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


class _Watch:
    """Notes what was skipped of that which was asked for.

    Args:
        marks: What was asked for.
        skipped: Where it is noted.
    """

    def __init__(self, marks: set[str], skipped: list[str]) -> None:
        self._marks = marks
        self._skipped = skipped

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that skips itself hides its tests, if it has any."""
        if report.skipped:
            self._note(report.nodeid, self._marks)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that skips itself has proved nothing."""
        if report.skipped:
            self._note(report.nodeid, self._marks.intersection(report.keywords))

    def _note(self, name: str, marks: set[str]) -> None:
        asking = " and ".join(f"--run-{mark}" for mark in sorted(marks))
        if asking:
            self._skipped.append(f"FAILED {name} - skipped, and {asking} asks for it to run")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch for skips when something was asked for."""
    asked = _asked_for(session.config)
    if asked:
        watch = _Watch(asked, session.config.stash[_SKIPPED])
        session.config.pluginmanager.register(watch)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a test that was asked for was skipped."""
    if session.config.stash[_SKIPPED] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the tests that were asked for and skipped."""
    for text in config.stash[_SKIPPED]:
        terminalreporter.write_line(text, red=True)


@pytest.fixture
def git_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's git settings out; return the folder of temporary files."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "tester@example.invalid")
        monkeypatch.setenv(f"GIT_{who}_DATE", "2026-11-30T12:00:00Z")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    return temporary


@pytest.fixture
def git_checkout(tmp_path: Path, git_alone: Path) -> Callable[..., Checkout]:
    """Return a factory of repositories with a runtime, a bench and one commit.

    Args of the factory:
        name: Of its folder.
        branch: The name of its first branch.
    """
    del git_alone

    def make(name: str = "checkout", *, branch: str = "main") -> Checkout:
        return Checkout.make(tmp_path / name, branch=branch)

    return make


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """Connect to the engine; without one the tests fail."""
    client = docker_engine.connect()
    with images_kept(client):
        yield client
    client.close()
