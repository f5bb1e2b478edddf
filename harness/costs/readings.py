"""Reading what a counted process and its counter printed."""

import re

import msgspec

from harness.costs.count import Uncounted
from harness.model import Subject

_COUNT = re.compile(r"^COUNT (\{.*\})$", re.MULTILINE)
_USAGE = 2  # the probe's exit code for settings that it does not take


class CountLine(msgspec.Struct, frozen=True, kw_only=True, rename={"c": "C"}):
    """The COUNT that a counted process printed; unknown keys of later probes are passed over."""

    c: int
    ok: int
    subject: Subject
    turns_total: int = msgspec.field(name="turns-total")
    err_sample: str | None = msgspec.field(default=None, name="err-sample")
    alive: int | None = None
    traced_bytes: int | None = msgspec.field(default=None, name="traced-bytes")
    allocated_blocks: int | None = msgspec.field(default=None, name="allocated-blocks")


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
        said = lines[-1].strip() if lines else "it printed nothing"
        reason = f"it ended with exit code {exit_code}: {said}"
        if exit_code == _USAGE:
            reason = said.removeprefix("harness.probe.counting: ")
        return Uncounted(reason=reason, refused=exit_code == _USAGE)
    try:
        line = msgspec.json.decode(found[-1], type=CountLine)
    except msgspec.DecodeError as error:
        return _read_refusal(found[-1], str(error))
    if line.ok != line.c:
        reason = f"{line.c - line.ok} of {line.c} sessions failed: {line.err_sample}"
        return Uncounted(reason=reason, refused=True)
    return line


def read_instructions(text: str) -> int | None:
    """Read how many instructions a callgrind output file tells of; None when it tells of none.

    Source:
        Callgrind Format Specification, "summary" and "totals" lines: https://valgrind.org/docs/manual/cl-format.html
    """
    found = re.search(r"^(?:summary|totals):\s*(\d+)\s*$", text, flags=re.MULTILINE)
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
        if len(words) in {5, 6} and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def _read_refusal(text: str, why_no_count: str) -> Uncounted:
    try:
        refusal = msgspec.json.decode(text, type=_Refusal)
    except msgspec.DecodeError:
        return Uncounted(reason=f"its COUNT cannot be read: {why_no_count}", refused=False)
    return Uncounted(reason=refusal.refused, refused=True)
