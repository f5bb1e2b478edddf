"""Run ids, their owners, and stamps of time."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.adapters.host.owner import is_alive, own_run_id, utc_stamp

ROOT = Path(__file__).parents[3]


def test_run_ids_are_unique_and_their_owner_alive() -> None:
    """Two runs of one process do not remove each other's containers."""
    one, two = own_run_id(), own_run_id()
    assert one != two
    assert is_alive(one)
    assert is_alive(two)


def test_run_id_of_a_process_that_ended_has_no_owner() -> None:
    """Leftovers of a killed run are found by their dead owner."""
    code = "from harness.adapters.host.owner import own_run_id; print(own_run_id())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"esc-[0-9a-f]{8}-\d+-\d+-0", done.stdout.strip())
    assert not is_alive(done.stdout.strip())


def test_run_id_with_a_reused_process_id_has_no_owner() -> None:
    """A process with the same number and another start time is not the owner."""
    _, where, pid, started, number = own_run_id().split("-")
    assert not is_alive(f"esc-{where}-{pid}-{int(started) + 1}-{number}")


def test_run_id_of_another_host_counts_as_alive() -> None:
    """Its process may be running, on an engine that two hosts share."""
    assert is_alive("esc-0badcafe-1-1-0")


@pytest.mark.parametrize(
    "name",
    ["", "esc", "esc-1-1", "x-1-1-1", "esc-a-1-1", "esc-1-a-1-1", "esc-1-1-1-1-1", "someone"],
)
def test_run_id_of_another_form_has_no_owner(name: str) -> None:
    """A label or a lock of another program belongs to no run."""
    assert not is_alive(name)


def test_stamps_are_utc_to_the_second() -> None:
    """Stamps sort as text and end in Z."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", utc_stamp())
