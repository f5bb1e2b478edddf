"""Sessions that are killed at any moment lose nothing and do nothing twice."""

from pathlib import Path

import pytest

from experiments.crash_runs.__main__ import crash
from experiments.crash_runs.sessions import SESSION_IDS


@pytest.mark.slow
def test_killed_sessions_end_as_undisturbed_ones(tmp_path: Path) -> None:
    """Killed sessions keep whole records, and end with the same data.

    A turn of the model that is in flight at the kill is asked for again: at least once for the backend, exactly once for the data.
    """
    tally = crash(tmp_path, kills=20, seed=7)
    assert tally.differences == []
    assert tally.kills >= 20
    assert tally.resumes > tally.kills
    assert tally.compared >= len(SESSION_IDS)
