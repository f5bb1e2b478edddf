"""Real adapters behind the ports, for the contract tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.adapters.git_repo import GitRepo


@pytest.fixture
def open_repo() -> Iterator[Callable[[Path], GitRepo]]:
    """Return what opens a real repository; all are closed at the end."""
    with ExitStack() as stack:

        def open_it(root: Path) -> GitRepo:
            repo = GitRepo(root)
            stack.callback(repo.close)
            return repo

        yield open_it
