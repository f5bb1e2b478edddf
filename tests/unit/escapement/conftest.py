"""Fails each test of the runtime that leaves a thread running."""

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test if new threads run after it."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before
