"""Which limit stopped a thread from starting, and what the words of a cell say of open files."""

import pytest

from harness.model.nouns import Caps
from harness.outcome.observation import Observation
from harness.outcome.protocol import Death, ProbeOutput
from harness.outcome.rules import decide
from tests.builders.model import make_observation, make_result

CAPS = Caps(cpus=2.0, memory_bytes=2 << 30, pids=None, timeout_s=600.0)


def _decide(seen: Observation, *, caps: Caps = CAPS, sessions: int = 500) -> tuple[str, str]:
    outcome, reason = decide(seen, caps, sessions)
    return outcome.value, reason


def _printed(**output: object) -> ProbeOutput:
    return ProbeOutput(**output)  # type: ignore[arg-type]  # the fields are the caller's to get right


@pytest.mark.parametrize(
    ("evidence", "limit"),
    [
        (
            {"pids-max": 1000, "pids-peak": 999},
            "at the pids limit of 1,000, which nobody asked for",
        ),
        ({"max-map-count": 65530, "peak-threads": 22167}, "at the vm.max_map_count of 65,530"),
        (
            {
                "pids-max": 24576,
                "pids-peak": 22410,
                "max-map-count": 65530,
                "peak-threads": 22400,
            },
            "at the vm.max_map_count of 65,530",
        ),
        ({"pid-max": 32768, "peak-threads": 32000}, "at the kernel.pid_max of 32,768"),
        ({"threads-max": 20000, "peak-threads": 19000}, "at the kernel.threads-max of 20,000"),
        (
            {"pids-max": 24576, "pids-peak": 22200, "max-map-count": 65530, "peak-threads": 22190},
            "at the vm.max_map_count of 65,530",
        ),
        ({"pids-max": 1000, "pids-peak": 500}, ", at no limit that is known"),
        ({"pids-max": "max", "pids-peak": None}, ", at no limit that is known"),
        ({}, ", at no limit that is known"),
    ],
)
def test_outcome_of_threads_names_the_limit_that_was_near(
    evidence: dict[str, object], limit: str
) -> None:
    """The same message of Python's comes from four limits; the one that was nearly used up is named."""
    said = "RuntimeError: can't start new thread"
    death = Death(cause="exit", exit_code=1, evidence=evidence, stderr_tail=(said,))
    outcome, reason = _decide(make_observation(output=_printed(death=death), exit_code=1))
    assert outcome == "threads"
    joined = limit if limit.startswith(",") else f" {limit}"
    assert reason == f"native threads ran out{joined}, the worker ended"


def test_outcome_of_sessions_without_threads_is_threads() -> None:
    """Sessions that could not start a thread fail for that limit, not with just any error."""
    result = make_result(
        500, ok=400, errors=100, err_sample="RuntimeError: can't start new thread"
    )
    assert _decide(make_observation(result)) == (
        "threads",
        "native threads ran out, at no limit that is known, 100 of 500 sessions failed",
    )


@pytest.mark.parametrize("where", ["stderr", "supervisor", "sample"])
def test_outcome_of_too_many_open_files_is_fds(where: str) -> None:
    """Descriptors that ran out are found in whichever text tells of it."""
    said = "OSError: [Errno 24] Too many open files"
    seen = {
        "stderr": make_observation(exit_code=1, stderr=("Traceback", said)),
        "supervisor": make_observation(
            output=_printed(death=Death(cause="exit", stderr_tail=(said,))), exit_code=1
        ),
        "sample": make_observation(make_result(500, ok=499, errors=1, err_sample=said)),
    }[where]
    outcome, reason = _decide(seen)
    assert outcome == "fds"
    assert reason.startswith("open files ran out, ")
