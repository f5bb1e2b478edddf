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
    """Yield each kind of box, the fake included; fail for one that cannot work here."""
    with _folder() as folder, open_side(request.param, folder) as side:
        yield side


@pytest.fixture(scope="module", params=_REAL)
def real_side(request: pytest.FixtureRequest) -> Iterator[BoxSide]:
    """Yield each kind of real box."""
    with _folder() as folder, open_side(request.param, folder) as side:
        yield side


@contextmanager
def _folder() -> Iterator[Path]:
    """Yield a folder on a disk that all users may enter, as cells need it."""
    with TemporaryDirectory(prefix="esc-bench-test-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def open_repo() -> Iterator[Callable[[Path], GitRepo]]:
    """Yield a function that opens a real repository; close them all afterwards."""
    with ExitStack() as stack:

        def open_it(root: Path) -> GitRepo:
            repo = GitRepo(root)
            stack.callback(repo.close)
            return repo

        yield open_it
