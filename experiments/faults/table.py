"""The execution of scenarios, and the table of their findings."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from tabulate import tabulate

from experiments.faults.scenario import Findings, Lab, Scenario, counted
from harness.model.errors import HarnessError

_HEADERS = (
    "fault",
    "how it was injected",
    "times",
    "what happened",
    "what was lost",
    "what was left",
)
_FAILURES = (
    AssertionError,
    HarnessError,
    OSError,
    LookupError,
    ValueError,
    subprocess.SubprocessError,
)


def try_scenario(scenario: Scenario, lab: Lab) -> tuple[Scenario, Findings]:
    """Run a scenario; an error in it is a finding."""
    found = Findings()
    started = time.monotonic()
    sys.stderr.write(f"{scenario.name}: {scenario.fault}\n")
    try:
        with _at_most(scenario.longest_s):
            scenario.run(lab, found)
    except _FAILURES as error:
        found.wrong.append(f"{type(error).__name__}: {error}")
    finally:
        lab.end()
    took = time.monotonic() - started
    result = "".join(f"  FAILED: {words}\n" for words in found.wrong) or "  survived\n"
    sys.stderr.write(f"{result}  {counted(found.happened)} ({took:.0f} s)\n")
    return scenario, found


def document(tried: Sequence[tuple[Scenario, Findings]], *, seed: int) -> str:
    """Return the table, with failed checks below."""
    rows = [
        (
            scenario.fault,
            scenario.how,
            found.times,
            ("**FAILED**: " if found.wrong else "") + counted(found.happened),
            counted(found.lost),
            counted(found.left),
        )
        for scenario, found in tried
    ]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    table = tabulate(cells, _HEADERS, tablefmt="pipe", disable_numparse=True)
    wrong = [f"- {s.name}: {words}" for s, found in tried for words in found.wrong]
    survived = sum(not found.wrong for _, found in tried)
    end = f"{survived} of {len(tried)} survived; seed {seed}."
    return "\n".join([table, "", end, *(["", *wrong] if wrong else []), ""])


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        message = f"not finished after {seconds} s"
        raise TimeoutError(message)

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
