"""The counted process of exact costs: runs sessions under the virtual clock.

It has no supervisor, so no sampler is counted, and ends without cleanup. It imports little: under
valgrind the imports take most of the time.
"""

import gc
import itertools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import escapement
from harness.probe.mock.deliveries import Deliveries
from harness.probe.protocol import write_line
from harness.probe.settings import Settings, UsageError, read_settings
from harness.probe.shared_counters import SharedCounters
from harness.probe.subject import describe_subject
from harness.probe.virtual_clock import START_S, VirtualClockError, VirtualClockLoop
from harness.probe.worker.arms import ARMS
from harness.probe.worker.executors import run_in_tasks
from harness.probe.worker.injection import inject, make_llm
from harness.probe.worker.recorder import Recorder

SCHEMA = 1
_MEMORY = "--memory"
_NEVER = 1_000_000_000


@dataclass(slots=True)
class HeldMemory:
    """The memory that the sessions hold at one instant.

    Args:
        alive: Sessions that had not ended.
        traced_bytes: Bytes allocated since the start and not freed.
        allocated_blocks: The same for blocks of the interpreter's allocator, up to 512 bytes each.
    """

    alive: int | None = None
    traced_bytes: int | None = None
    allocated_blocks: int | None = None


def main(words: list[str]) -> int:
    """Run the sessions and print one COUNT line.

    Args:
        words: ``--memory`` to count held memory too, then the probe's command line.

    Returns:
        0 with a COUNT, 2 for a usage error, 1 with the refusal as COUNT when the subject does
        what the virtual clock does not allow.
    """
    is_memory = words[:1] == [_MEMORY]
    environment = {**os.environ, "SCALE_CLOCK": "virtual"}
    try:
        settings = read_settings(words[is_memory:], environment)
        write_line(sys.stdout, "COUNT", _count(settings, is_memory=is_memory))
    except UsageError as error:
        sys.stderr.write(f"harness.probe.counting: {error}\n")
        sys.stderr.flush()
        return 2
    except VirtualClockError as error:
        write_line(sys.stdout, "COUNT", {"schema": SCHEMA, "refused": str(error)})
        return 1
    return 0


def held_at_s(settings: Settings) -> float:
    """Return the instant of the memory count: the middle of the last turn's answer.

    No session can end earlier, as none is faster than the mock, and each holds almost all that
    it ever will. Half a millisecond before a tick of the mock no token is in delivery.

    Returns:
        Seconds since the start of the sessions.
    """
    before_ms = (settings.turns - 1) * settings.nominal_turn_ms + settings.ttft_ms
    return (before_ms + settings.tokens * settings.tok_ms // 2 - 0.5) / 1000


def _count(settings: Settings, *, is_memory: bool) -> dict[str, object]:
    counters, fd = SharedCounters.create()
    os.close(fd)
    recorder = Recorder(settings.sessions, counters)
    llm = make_llm(settings, Deliveries(counters))
    arm = inject(ARMS[settings.arm](settings, llm, _scratch(settings)), settings.injection)
    held = HeldMemory()
    _settle_collector()
    make_loop = _memory_watch(held, recorder, settings) if is_memory else VirtualClockLoop
    run_in_tasks(arm, settings.indices_of(0), recorder, START_S, make_loop)
    return {
        "schema": SCHEMA,
        "arm": settings.arm,
        "C": settings.sessions,
        "ok": recorder.ok,
        "errors": recorder.errors,
        "err-sample": recorder.err_sample,
        "turns-total": recorder.ok * settings.turns,
        "alive": held.alive,
        "traced-bytes": held.traced_bytes,
        "allocated-blocks": held.allocated_blocks,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "subject": describe_subject(escapement),
    }


def _memory_watch(
    held: HeldMemory, recorder: Recorder, settings: Settings
) -> Callable[[], VirtualClockLoop]:
    """Return a maker of a loop that counts held memory at the one instant."""
    import tracemalloc  # noqa: PLC0415 (only here: it imports pickle)

    def count() -> None:
        gc.collect()
        held.allocated_blocks = sys.getallocatedblocks() - blocks_before
        held.traced_bytes, _ = tracemalloc.get_traced_memory()
        held.alive = settings.sessions - recorder.ok - recorder.errors

    def make_loop() -> VirtualClockLoop:
        loop = VirtualClockLoop()
        loop.call_at(START_S + held_at_s(settings), count)
        tracemalloc.start()
        return loop

    # start-up blocks depend on addresses, which decide collisions in sets
    blocks_before = sys.getallocatedblocks()
    return make_loop


def _settle_collector() -> None:
    """Exclude present objects from garbage collection; keep its young part.

    Young collections depend on the objects that a turn makes, so they belong to its cost. The
    frequency of full collections depends on the number of objects: a few sessions predict
    nothing for thousands, and one more or less would be chance.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def _scratch(settings: Settings) -> Path:
    """Return a new folder whose path has a constant length; the harness removes it."""
    if settings.scratch is None:
        import tempfile  # noqa: PLC0415 (only here: for use by hand)

        return Path(tempfile.mkdtemp(prefix="count-"))
    for number in itertools.count():
        folder = settings.scratch / f"count-{number:06d}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError  # the numbers do not end


if __name__ == "__main__":
    # No cleanup: freeing the remaining objects one by one would be counted.
    os._exit(main(sys.argv[1:]))
