"""Holds every test of the runtime to leaving no thread behind."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a session's thread running."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
