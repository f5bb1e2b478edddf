"""Starts probes for the tests of this folder, and leaves none behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.probe_runs import Probe, Start, start_probe


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Provide what starts a probe, and end those that a failed test leaves behind."""
    started: list[Probe] = []

    def start(words: str, subject: str | None = None, **environment: str) -> Probe:
        started.append(start_probe(tmp_path, words, subject, environment))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()
