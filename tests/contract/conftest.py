"""Real adapters behind the ports, for the contract tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from harness.adapters.git.repo import GitRepo
from tests.hosts.box_sides import BoxSide, open_side

_REAL = [
    pytest.param("docker", marks=pytest.mark.docker),
    pytest.param("cgroup", marks=pytest.mark.cgroup),
    pytest.param("watchdog", marks=pytest.mark.watchdog),
]


@pytest.fixture(scope="module", params=["fake", *_REAL])
def box_side(request: pytest.FixtureRequest) -> Iterator[BoxSide]:
    """Give each kind of box in turn, the fake included; one that this machine cannot have fails."""
    with _folder() as folder, open_side(request.param, folder) as side:
        yield side


@pytest.fixture(scope="module", params=_REAL)
def real_side(request: pytest.FixtureRequest) -> Iterator[BoxSide]:
    """Give each kind of real box in turn."""
    with _folder() as folder, open_side(request.param, folder) as side:
        yield side


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder for builds and cells on a disk, through which everybody may pass: a cell may run as somebody else."""
    with TemporaryDirectory(prefix="esc-bench-test-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def open_repo() -> Iterator[Callable[[Path], GitRepo]]:
    """Return what opens a real repository; all are closed at the end."""
    with ExitStack() as stack:

        def open_it(root: Path) -> GitRepo:
            repo = GitRepo(root)
            stack.callback(repo.close)
            return repo

        yield open_it
