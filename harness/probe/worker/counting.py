"""The process of exact costs: drives the sessions under the virtual clock.

It has no supervisor, so that no sampler is counted, and ends without tidying up, so that no tidying is. It imports little: under
valgrind most of the time goes into imports.
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
from harness.probe.worker.ledger import Ledger

SCHEMA = 1
_MEMORY = "--memory"
_NEVER = 1_000_000_000


@dataclass(slots=True)
class Held:
    """The memory of the sessions at one instant.

    Args:
        alive: Sessions that were not over then.
        traced_bytes: Allocated since the first session was about to start, and not freed.
        allocated_blocks: The same of the blocks of the interpreter's own allocator, which serves up to 512 bytes.
    """

    alive: int | None = None
    traced_bytes: int | None = None
    allocated_blocks: int | None = None


def main(words: list[str]) -> int:
    """Drive the sessions and print one COUNT line.

    Args:
        words: ``--memory`` to also count what the sessions hold, then the words of the probe's own command line.

    Returns:
        0 with a COUNT, 2 for a usage error, 1 with a COUNT that holds what was `refused` when the subject does what the virtual
        clock does not allow.
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
    """Return the instant of the memory count, in s: in the last turn's answer.

    No session can be over by then, since none is faster than the mock; each has done all its turns but one, so that it holds about
    all that it ever will; and half a millisecond beside the mock's ticks no token is on its way.
    """
    before_ms = (settings.turns - 1) * settings.nominal_turn_ms + settings.ttft_ms
    return (before_ms + settings.tokens * settings.tok_ms // 2 - 0.5) / 1000


def _count(settings: Settings, *, is_memory: bool) -> dict[str, object]:
    counters, fd = SharedCounters.create()
    os.close(fd)
    ledger = Ledger(settings.sessions, counters)
    llm = make_llm(settings, Deliveries(counters))
    arm = inject(ARMS[settings.arm](settings, llm, _scratch(settings)), settings.injection)
    held = Held()
    _settle_collector()
    make_loop = _with_a_look_at(held, ledger, settings) if is_memory else VirtualClockLoop
    run_in_tasks(arm, settings.indices_of(0), ledger, START_S, make_loop)
    return {
        "schema": SCHEMA,
        "arm": settings.arm,
        "C": settings.sessions,
        "ok": ledger.ok,
        "errors": ledger.errors,
        "err-sample": ledger.err_sample,
        "turns-total": ledger.ok * settings.turns,
        "alive": held.alive,
        "traced-bytes": held.traced_bytes,
        "allocated-blocks": held.allocated_blocks,
        "python": ".".join(str(part) for part in sys.version_info[:3]),
        "subject": describe_subject(escapement),
    }


def _with_a_look_at(
    held: Held, ledger: Ledger, settings: Settings
) -> Callable[[], VirtualClockLoop]:
    """Return a factory of loops that count memory at one instant."""
    import tracemalloc  # noqa: PLC0415 (here alone: it imports pickle)

    def look() -> None:
        gc.collect()
        held.allocated_blocks = sys.getallocatedblocks() - blocks_before
        held.traced_bytes, _ = tracemalloc.get_traced_memory()
        held.alive = settings.sessions - ledger.ok - ledger.errors

    def make_loop() -> VirtualClockLoop:
        loop = VirtualClockLoop()
        loop.call_at(START_S + held_at_s(settings), look)
        tracemalloc.start()
        return loop

    # those of start-up depend on addresses, which decide how sets collide
    blocks_before = sys.getallocatedblocks()
    return make_loop


def _settle_collector() -> None:
    """Hide existing objects from the collector; keep its young generations.

    These come as often as objects are made, so they belong to a turn's cost. How often all objects are gone through depends on how many
    there are: at a few sessions it says nothing about thousands, and would come or not by chance.
    """
    gc.collect()
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, _NEVER)


def _scratch(settings: Settings) -> Path:
    """Return a new folder with a path of constant length."""
    if settings.scratch is None:
        import tempfile  # noqa: PLC0415 (here alone: by hand, where nothing is counted exactly)

        return Path(tempfile.mkdtemp(prefix="count-"))
    for number in itertools.count():
        folder = settings.scratch / f"count-{number:06d}"
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError  # there are as many numbers as it takes


if __name__ == "__main__":
    # Nothing that the sessions leave behind is to be freed one by one, and counted.
    os._exit(main(sys.argv[1:]))
