"""The output of a counted process and of its counter, parsed."""

import re

import msgspec

from harness.analysis.costs.count import Uncounted
from harness.model.cells import Subject
from harness.model.stored import Natural
from harness.model.text import one_line

_COUNT = re.compile(r"^COUNT (\{.*\})$", re.MULTILINE)
_CALLS = re.compile(r"[0-9]{1,18}")
_LONGEST = 300
_USAGE = 2  # the probe's exit code for settings that it refuses


class CountLine(msgspec.Struct, frozen=True, kw_only=True, rename={"c": "C"}):
    """The COUNT of a counted process; unknown keys of later probes are ignored."""

    c: Natural
    ok: Natural
    subject: Subject
    turns_total: Natural = msgspec.field(name="turns-total")
    err_sample: str | None = msgspec.field(default=None, name="err-sample")
    alive: Natural | None = None
    traced_bytes: Natural | None = msgspec.field(default=None, name="traced-bytes")
    allocated_blocks: Natural | None = msgspec.field(default=None, name="allocated-blocks")


class _Refusal(msgspec.Struct, frozen=True):
    refused: str


def read_count_line(stdout: str, stderr: str, exit_code: int) -> CountLine | Uncounted:
    """Parse the COUNT of a process, in which every session ended ok.

    Args:
        stdout: Its standard output, with that of the subject.
        stderr: Its standard error.
        exit_code: Its exit code.

    Returns:
        The last COUNT, or the reason why there is none.
    """
    found = _COUNT.findall(stdout)
    if not found:
        return _without_count(stderr, exit_code)
    text = found[-1].encode(errors="replace")
    try:
        line = msgspec.json.decode(text, type=CountLine)
    except (msgspec.DecodeError, RecursionError) as error:
        return _read_refusal(text, str(error))
    if line.ok != line.c:
        reason = f"{line.c - line.ok} of {line.c} sessions failed: {line.err_sample}"
        return Uncounted(reason=one_line(reason, _LONGEST), refused=True)
    return line


def _without_count(stderr: str, exit_code: int) -> Uncounted:
    lines = stderr.strip().splitlines()
    last = one_line(lines[-1], _LONGEST) if lines else "it printed nothing"
    if exit_code == _USAGE:
        return Uncounted(reason=last.removeprefix("harness.probe.counting: "), refused=True)
    return Uncounted(reason=f"it ended with exit code {exit_code}: {last}", refused=False)


def _read_refusal(text: bytes, why_no_count: str) -> Uncounted:
    try:
        refusal = msgspec.json.decode(text, type=_Refusal)
    except (msgspec.DecodeError, RecursionError):
        reason = one_line(f"its COUNT cannot be read: {why_no_count}", _LONGEST)
        return Uncounted(reason=reason, refused=False)
    return Uncounted(reason=one_line(refusal.refused, _LONGEST), refused=True)


def read_instructions(text: str) -> int | None:
    """Return the instructions in a file of callgrind; None if it has no total.

    Source:
        Callgrind Format Specification, "summary" and "totals" lines: https://valgrind.org/docs/manual/cl-format.html
    """
    found = re.search(r"^(?:summary|totals):\s*([0-9]{1,18})\s*$", text, flags=re.MULTILINE)
    return int(found[1]) if found else None


def read_calls(text: str) -> dict[str, int]:
    """Return the number of each system call in the table of ``strace -c``.

    Source:
        strace(1): columns ``% time``, ``seconds``, ``usecs/call``, ``calls``, ``errors`` (may be blank), ``syscall``.
    """
    calls = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) in {5, 6} and _CALLS.fullmatch(words[3]) and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls
