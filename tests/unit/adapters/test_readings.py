"""The output of counters, as the bench reads it."""

import pytest

from harness.adapters.counters.readings import read_calls, read_count_line, read_instructions
from harness.analysis.costs.count import Uncounted

STRACE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 33.33    0.003074           1      1606        59 newfstatat
 20.01    0.001845           3       578           openat
  0.00    0.000000           0         1           execve
------ ----------- ----------- --------- --------- ----------------
100.00    0.009222           1      2185        59 total
"""
COUNT = (
    'COUNT {"schema": 1, "arm": "hand", "C": 2, "ok": 2, "errors": 0, "err-sample": null, "turns-total": 12, "alive": 2,'
    ' "traced-bytes": 5, "allocated-blocks": 6, "python": "3.11.7", "subject": {"path": "/x", "version": "1", "hash": "ab"}}'
)


def test_instructions_are_read_from_the_summary() -> None:
    """A callgrind file ends with the total of all events."""
    assert (
        read_instructions("version: 1\nevents: Ir\nfn=(1)\n1 5\nsummary: 495858190\n") == 495858190
    )
    assert read_instructions("events: Ir\ntotals: 7\n") == 7


def test_instructions_of_a_file_that_was_cut_short_are_none() -> None:
    """A missing total is not zero."""
    assert read_instructions("version: 1\nevents: Ir\nfn=(1)\n") is None


def test_calls_are_read_by_name_with_and_without_errors() -> None:
    """The column of errors may be empty; the total is no system call."""
    assert read_calls(STRACE) == {"newfstatat": 1606, "openat": 578, "execve": 1}


def test_calls_without_a_table_are_none() -> None:
    """An error message of strace has no counts."""
    assert read_calls("strace: exec: No such file or directory\n") == {}


def test_count_is_read_from_a_subjects_output() -> None:
    """A COUNT line begins with the word; the last one is used."""
    line = read_count_line(f"COUNT {{}}\nhello COUNT {{}}\n{COUNT}\nbye\n", "", 0)
    assert not isinstance(line, Uncounted)
    assert (line.c, line.ok, line.turns_total, line.alive) == (2, 2, 12, 2)
    assert (line.traced_bytes, line.allocated_blocks, line.subject.hash) == (5, 6, "ab")


@pytest.mark.parametrize(
    ("stdout", "stderr", "code", "reason", "refused"),
    [
        ("", "", 137, "it ended with exit code 137: it printed nothing", False),
        ("", "a\nImportError: no x\n", 1, "it ended with exit code 1: ImportError: no x", False),
        ("", "harness.probe.counting: C is 'x'\n", 2, "C is 'x'", True),
        ('COUNT {"schema": 1, "refused": "a thread"}\n', "", 1, "a thread", True),
        (
            COUNT.replace('"ok": 2', '"ok": 1').replace("null", '"no luck"'),
            "",
            0,
            "1 of 2 sessions failed: no luck",
            True,
        ),
        (
            'COUNT {"C": 1}',
            "",
            0,
            "its COUNT cannot be read: Object missing required field `ok`",
            False,
        ),
    ],
)
def test_missing_count_has_a_reason(
    stdout: str, stderr: str, code: int, reason: str, refused: bool
) -> None:
    """A subject that cannot be counted and a counter that fails are distinguished."""
    assert read_count_line(stdout, stderr, code) == Uncounted(reason=reason, refused=refused)
