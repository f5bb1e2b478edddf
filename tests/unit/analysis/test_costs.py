"""Reading what counters print, and turning counts at two levels into costs."""

from collections.abc import Mapping

import pytest

from harness.adapters.counters.readings import read_calls, read_count_line, read_instructions
from harness.analysis.costs.count import CountedRun, CounterName, Uncounted
from harness.analysis.costs.slopes import Pass, changed, find_costs
from harness.model.costs import ExactCost
from harness.model.nouns import Side

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
    """The totals of all events end a callgrind file."""
    assert (
        read_instructions("version: 1\nevents: Ir\nfn=(1)\n1 5\nsummary: 495858190\n") == 495858190
    )
    assert read_instructions("events: Ir\ntotals: 7\n") == 7


def test_instructions_of_a_file_that_was_cut_short_are_none() -> None:
    """A total that is not there is not zero."""
    assert read_instructions("version: 1\nevents: Ir\nfn=(1)\n") is None


def test_calls_are_read_by_name_with_and_without_errors() -> None:
    """The column of errors may be blank; the total is no system call."""
    assert read_calls(STRACE) == {"newfstatat": 1606, "openat": 578, "execve": 1}


def test_calls_of_what_is_no_table_are_none() -> None:
    """A message of strace itself counts for nothing."""
    assert read_calls("strace: exec: No such file or directory\n") == {}


def test_count_is_read_among_what_a_subject_prints() -> None:
    """Only a whole line that begins with the word is one; the last one counts."""
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
def test_count_that_is_none_says_why(
    stdout: str, stderr: str, code: int, reason: str, refused: bool
) -> None:
    """A subject that cannot be counted is told from a counter that cannot count."""
    assert read_count_line(stdout, stderr, code) == Uncounted(reason=reason, refused=refused)


def _pass(low: Mapping[str, int], high: Mapping[str, int]) -> Pass:
    return Pass(
        CountedRun(sessions=10, turns=60, amounts=low, subject="s"),
        CountedRun(sessions=20, turns=120, amounts=high, subject="s"),
    )


def _instructions(*highs: int) -> list[Pass]:
    return [_pass({"instructions": 1000}, {"instructions": high}) for high in highs]


def test_instructions_of_start_up_drop_out() -> None:
    """What is the same at both levels belongs to no turn."""
    (cost,) = find_costs(
        CounterName.CALLGRIND,
        {Side.BASE: _instructions(7000, 7000), Side.BRANCH: _instructions(13000, 13000)},
    )
    assert cost == ExactCost(
        name="instructions/turn", base=100.0, branch=200.0, spread=0.0, reproducible=True
    )
    assert cost.is_gated
    assert changed(cost)


def test_instructions_that_do_not_repeat_are_not_gated() -> None:
    """More than 1 part in 10,000 apart is chance; the worse side tells."""
    (cost,) = find_costs(
        CounterName.CALLGRIND,
        {Side.BASE: _instructions(601000, 601000), Side.BRANCH: _instructions(601000, 601120)},
    )
    assert cost.spread == pytest.approx(2e-4, rel=1e-3)
    assert not cost.reproducible
    assert not cost.is_gated


def test_cost_of_a_side_that_was_not_counted_is_none() -> None:
    """The other side is still worth showing, and nothing is decided."""
    (cost,) = find_costs(
        CounterName.CALLGRIND, {Side.BASE: [], Side.BRANCH: _instructions(7000, 7000)}
    )
    assert (cost.base, cost.branch, cost.spread) == (None, 100.0, 0.0)
    assert not cost.is_gated
    assert not changed(cost)


def test_cost_that_was_counted_once_has_no_spread() -> None:
    """One pass shows nothing about repeating."""
    (cost,) = find_costs(CounterName.CALLGRIND, {Side.BRANCH: _instructions(7000)})
    assert (cost.spread, cost.reproducible) == (None, False)


def test_costs_of_no_side_are_none() -> None:
    """There is nothing to show."""
    assert find_costs(CounterName.STRACE, {Side.BASE: [], Side.BRANCH: []}) == []


def test_memory_is_per_session() -> None:
    """Bytes and blocks are two costs."""
    passes = {
        side: [
            _pass(
                {"traced-bytes": 500, "allocated-blocks": 7},
                {"traced-bytes": 500 + size, "allocated-blocks": 17},
            )
        ]
        * 2
        for side, size in ((Side.BASE, 1000), (Side.BRANCH, 1640))
    }
    costs = find_costs(CounterName.MEMORY, passes)
    assert [(cost.name, cost.base, cost.branch) for cost in costs] == [
        ("traced-bytes/session", 100.0, 164.0),
        ("allocated-blocks/session", 1.0, 1.0),
    ]


def test_system_calls_are_summed_and_kept_by_name() -> None:
    """What is made at start-up alone is not among them, and what one side never makes is."""
    base = _pass({"write": 60, "execve": 1}, {"write": 120, "execve": 1})
    branch = _pass({"write": 60, "execve": 1}, {"write": 120, "execve": 1, "stat": 60})
    (cost,) = find_costs(
        CounterName.STRACE, {Side.BASE: [base, base], Side.BRANCH: [branch, branch]}
    )
    assert (cost.name, cost.base, cost.branch, cost.spread) == ("system-calls/turn", 1.0, 2.0, 0.0)
    assert cost.detail == {"stat": (0.0, 1.0), "write": (1.0, 1.0)}
    assert cost.is_gated


def test_system_calls_by_chance_or_for_memory_are_not_gated() -> None:
    """What does not repeat exactly must not spoil what does, and an allocator asks in steps."""
    one = _pass({"write": 60, "futex": 1, "brk": 1}, {"write": 120, "futex": 61, "brk": 4})
    two = _pass({"write": 60, "futex": 1, "brk": 1}, {"write": 120, "futex": 62, "brk": 4})
    exact, others = find_costs(
        CounterName.STRACE, {Side.BASE: [one, two], Side.BRANCH: [one, one]}
    )
    assert (exact.name, exact.base, exact.branch) == ("system-calls/turn", 1.0, 1.0)
    assert exact.is_gated
    assert others.name == "other-calls/turn"
    assert others.detail["brk"] == (0.05, 0.05)
    assert not others.is_gated
    assert others.advisory == (
        "memory is asked for in steps, so that a few bytes may cost a call or none; "
        "what does not repeat exactly: futex"
    )


def test_system_calls_of_one_side_have_no_names() -> None:
    """There is nothing to hold them against."""
    one = _pass({"write": 60, "brk": 0}, {"write": 120, "brk": 0})
    exact, others = find_costs(CounterName.STRACE, {Side.BASE: [], Side.BRANCH: [one, one]})
    assert (exact.base, exact.branch, exact.detail) == (None, 1.0, {})
    assert (others.branch, others.spread) == (0.0, 0.0)
