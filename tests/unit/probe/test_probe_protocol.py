"""The lines that the probe prints, and what it says of a worker that died."""

import io

import pytest

from harness.probe.protocol import write_line, write_pretty
from harness.probe.supervisor.outcome import cause_of, exit_code_of, make_outcome
from harness.probe.supervisor.worker_process import StderrTail


def test_line_is_one_word_and_one_map() -> None:
    """The host splits at the first space."""
    out = io.StringIO()
    write_line(out, "RESULT", {"b": 1, "a": None, "s": "x\ny"})
    assert out.getvalue() == 'RESULT {"b": 1, "a": null, "s": "x\\ny"}\n'


def test_pretty_map_has_one_sorted_key_a_line() -> None:
    """A nested map stays on its line."""
    out = io.StringIO()
    write_pretty(out, {"b": {"z": 1, "y": 2}, "C": 3, "a": None})
    assert out.getvalue() == '{\n  "C": 3,\n  "a": null,\n  "b": {"z": 1, "y": 2}\n}\n'


def test_line_refuses_what_is_not_json() -> None:
    """NaN would be read differently by every reader."""
    with pytest.raises(ValueError, match="JSON"):
        write_line(io.StringIO(), "RESULT", {"a": float("nan")})


@pytest.mark.parametrize(
    ("returncode", "oom_kills", "cause", "exit_code"),
    [
        (-9, 1, "oom", 137),
        (-9, 0, "signal", 137),
        (-9, None, "signal", 137),
        (-11, 0, "signal", 139),
        (1, 0, "exit", 1),
        (0, 0, "exit", 0),
    ],
)
def test_outcome_names_the_cause_and_keeps_the_exit_code(
    returncode: int, oom_kills: int | None, cause: str, exit_code: int
) -> None:
    """Only the cgroup's own count makes a kill an OOM."""
    assert cause_of(returncode, oom_kills) == cause
    assert exit_code_of(returncode) == exit_code


def test_outcome_has_the_keys_of_the_contract() -> None:
    """A signal is named by its number, and absent otherwise."""
    assert make_outcome("oom", -9, {"sessions-done": 1}, ["last"]) == {
        "cause": "oom",
        "exit-code": 137,
        "signal": 9,
        "evidence": {"sessions-done": 1},
        "stderr-tail": ["last"],
    }
    assert make_outcome("exit", 3, {}, [])["signal"] is None


def test_stderr_tail_keeps_the_last_lines_and_passes_all_on() -> None:
    """Lines are put together from whatever pieces they come in."""
    passed: list[bytes] = []
    tail = StderrTail(passed.append)
    for number in range(30):
        tail.feed(f"line {number}".encode())
        tail.feed(b"\n")
    tail.feed(b"open \xff")
    assert tail.lines() == [f"line {number}" for number in range(11, 30)] + ["open \ufffd"]
    assert b"".join(passed).startswith(b"line 0\nline 1\n")


def test_stderr_tail_is_bounded() -> None:
    """A subject that floods its output neither fills memory nor the host's log."""
    passed: list[bytes] = []
    tail = StderrTail(passed.append)
    for _ in range(40):
        tail.feed(b"x" * 65536)
    tail.feed(b"\nlast\n")
    assert tail.lines() == ["x" * 2000, "last"]
    assert sum(map(len, passed)) < (1 << 20) + 100
    assert b"not passed on" in passed[-1]
