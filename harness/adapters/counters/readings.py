"""Reading what a counted process and its counter printed."""

import re

import msgspec

from harness.analysis.costs.count import Uncounted
from harness.model.cells import Subject
from harness.model.stored import Natural
from harness.model.text import one_line

_COUNT = re.compile(r"^COUNT (\{.*\})$", re.MULTILINE)
_CALLS = re.compile(r"[0-9]{1,18}")
_LONGEST = 300
_USAGE = 2  # the probe's exit code for settings that it does not take


class CountLine(msgspec.Struct, frozen=True, kw_only=True, rename={"c": "C"}):
    """The COUNT that a counted process printed; unknown keys of later probes are passed over."""

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
    """Read what a counted process says of itself.

    Args:
        stdout: All that it printed; what a subject printed may be among it.
        stderr: The same of its other stream.
        exit_code: How it ended.

    Returns:
        Its COUNT, in which every session ended ok, or why there is none.
    """
    found = _COUNT.findall(stdout)
    if not found:
        lines = stderr.strip().splitlines()
        said = one_line(lines[-1], _LONGEST) if lines else "it printed nothing"
        reason = f"it ended with exit code {exit_code}: {said}"
        if exit_code == _USAGE:
            reason = said.removeprefix("harness.probe.counting: ")
        return Uncounted(reason=reason, refused=exit_code == _USAGE)
    try:
        line = msgspec.json.decode(_whole_characters(found[-1]), type=CountLine)
    except (msgspec.DecodeError, RecursionError) as error:
        return _read_refusal(found[-1], str(error))
    if line.ok != line.c:
        reason = f"{line.c - line.ok} of {line.c} sessions failed: {line.err_sample}"
        return Uncounted(reason=one_line(reason, _LONGEST), refused=True)
    return line


def read_instructions(text: str) -> int | None:
    """Read how many instructions a callgrind output file tells of; None when it tells of none.

    Source:
        Callgrind Format Specification, "summary" and "totals" lines: https://valgrind.org/docs/manual/cl-format.html
    """
    found = re.search(r"^(?:summary|totals):\s*([0-9]{1,18})\s*$", text, flags=re.MULTILINE)
    return int(found[1]) if found else None


def read_calls(text: str) -> dict[str, int]:
    """Read the table that ``strace -c`` writes; empty when there is none.

    Returns:
        How often each system call was made, by its name.

    Source:
        strace(1): columns ``% time``, ``seconds``, ``usecs/call``, ``calls``, ``errors`` (may be blank), ``syscall``.
    """
    calls = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) in {5, 6} and _CALLS.fullmatch(words[3]) and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def _read_refusal(text: str, why_no_count: str) -> Uncounted:
    try:
        refusal = msgspec.json.decode(_whole_characters(text), type=_Refusal)
    except (msgspec.DecodeError, RecursionError):
        reason = one_line(f"its COUNT cannot be read: {why_no_count}", _LONGEST)
        return Uncounted(reason=reason, refused=False)
    return Uncounted(reason=one_line(refusal.refused, _LONGEST), refused=True)


def _whole_characters(text: str) -> bytes:
    return text.encode(errors="replace")
