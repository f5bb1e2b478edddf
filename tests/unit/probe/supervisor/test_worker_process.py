"""The output of a worker process."""

from harness.probe.supervisor.worker_process import StderrTail


def test_stderr_tail_keeps_the_last_lines_and_passes_all_on() -> None:
    """Lines are joined from the chunks in which they arrive."""
    passed: list[bytes] = []
    tail = StderrTail(passed.append)
    for number in range(30):
        tail.feed(f"line {number}".encode())
        tail.feed(b"\n")
    tail.feed(b"open \xff")
    assert tail.lines() == [f"line {number}" for number in range(11, 30)] + ["open \ufffd"]
    assert b"".join(passed).startswith(b"line 0\nline 1\n")


def test_stderr_tail_is_bounded() -> None:
    """A flood of output fills neither the memory nor the host's log."""
    passed: list[bytes] = []
    tail = StderrTail(passed.append)
    for _ in range(40):
        tail.feed(b"x" * 65536)
    tail.feed(b"\nlast\n")
    assert tail.lines() == ["x" * 2000, "last"]
    assert sum(map(len, passed)) < (1 << 20) + 100
    assert b"not passed on" in passed[-1]
