"""What all suites share: the docker switch, and small real git checkouts that no configuration of the user reaches."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.checkout import Checkout

_SKIPPED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the switch without which no test reaches for a Docker engine."""
    parser.addoption(
        "--run-docker",
        action="store_true",
        help="run the tests marked docker; one that is skipped fails the run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make room for the names of docker tests that did not run."""
    config.stash[_SKIPPED] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave docker tests out unless they were asked for."""
    if config.getoption("--run-docker"):
        return
    left_out = [item for item in items if item.get_closest_marker("docker") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("docker") is None]


class _Watch:
    """Notes what was skipped of that which was asked for."""

    def __init__(self, skipped: list[str]) -> None:
        self._skipped = skipped

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that skips itself hides its docker tests, if it has any."""
        if report.skipped:
            self._skipped.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A docker test that skips itself has proved nothing."""
        if report.skipped and "docker" in report.keywords:
            self._skipped.append(report.nodeid)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Watch for skips when docker tests were asked for."""
    if session.config.getoption("--run-docker"):
        session.config.pluginmanager.register(_Watch(session.config.stash[_SKIPPED]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a docker test that was asked for was skipped."""
    if session.config.stash[_SKIPPED] and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the docker tests that were asked for and skipped."""
    for name in config.stash[_SKIPPED]:
        text = f"FAILED {name} - skipped, and --run-docker asks for it to run"
        terminalreporter.write_line(text, red=True)


@pytest.fixture
def git_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's git configuration and environment out; return the folder that temporary files go to."""
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
    """Return what makes a real repository with a runtime, a bench and one commit on `main`.

    Args of the factory:
        name: Of its folder.
        branch: The name of its first branch.
    """
    del git_alone

    def make(name: str = "checkout", *, branch: str = "main") -> Checkout:
        return Checkout.make(tmp_path / name, branch=branch)

    return make
