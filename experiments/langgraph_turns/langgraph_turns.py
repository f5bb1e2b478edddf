"""CPU per turn of one loop in LangGraph and in escapement, interleaved.

usage: python langgraph_turns.py [--sessions 200] [--turns 6] [--tokens 20,50] [--rounds 3]
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from load import Load

import escapement

HERE = Path(__file__).resolve().parent
OURS = "escapement"
CONTESTANTS = {
    OURS: "arun, MemoryStore, transcript on disk",
    "escapement, no transcript": "arun, MemoryStore",
    "langgraph": 'astream(stream_mode="messages") of a chat model, InMemorySaver',
    "langgraph, no saver": 'astream(stream_mode="messages") of a chat model',
    "langgraph, custom": 'astream(stream_mode="custom"), no LangChain model, InMemorySaver',
    "langgraph, custom, no saver": 'astream(stream_mode="custom"), no LangChain model',
}
WARM_UP = 10  # sessions that import, compile and cache before the clock starts
PACKAGES = ("langgraph", "langgraph-checkpoint", "langchain-core")


def main() -> None:
    """Run every contestant in both orders, and print the table."""
    options = _options()
    if options.one:
        print(json.dumps(_measure(options.one, _loads(options)[0])))
        return
    print(_versions())
    for load in _loads(options):
        order = [*CONTESTANTS, *reversed(CONTESTANTS)]  # ABBA: a host that drifts favours nobody
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
        for number in range(options.rounds):
            for name in order:
                runs[name].append(_in_a_child(name, load))
                print(f"round {number + 1}, {name}: {_ms(runs[name][-1])}", file=sys.stderr)
        print(_table(load, runs))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=200, help="at once, in one event loop")
    parser.add_argument("--turns", type=int, default=6, help="of each session")
    parser.add_argument("--tokens", default="20,50", help="of each answer; a table each")
    parser.add_argument(
        "--rounds", type=int, default=3, help="two runs of each contestant a round"
    )
    parser.add_argument("--one", choices=list(CONTESTANTS), help=argparse.SUPPRESS)
    return parser.parse_args()


def _loads(options: argparse.Namespace) -> list[Load]:
    return [
        Load(sessions=options.sessions, turns=options.turns, tokens=int(tokens))
        for tokens in options.tokens.split(",")
    ]


def _in_a_child(name: str, load: Load) -> dict[str, float]:
    """Measure a contestant in a fresh process."""
    command = [sys.executable, str(HERE / "langgraph_turns.py"), "--one", name]
    for flag in ("sessions", "turns", "tokens"):
        command += [f"--{flag}", str(getattr(load, flag))]
    environment = os.environ | {"LANGSMITH_TRACING": "false", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:  # transcripts, if any, go there and away
        environment |= {"TMPDIR": folder}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment
        )
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _measure(name: str, load: Load) -> dict[str, float]:
    make_run = _import(name)
    asyncio.run(make_run(Load(sessions=WARM_UP, turns=load.turns, tokens=load.tokens)).go())
    run = make_run(load)
    gc.collect()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    received = asyncio.run(run.go())
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    run.check()
    if received != load.tokens_total:
        sys.exit(f"{received} tokens were received, and {load.tokens_total} were sent")
    return {"cpu_s": cpu_s, "wall_s": wall_s, "cpu_ms_per_turn": cpu_s * 1000 / load.turns_total}


class Run(Protocol):
    """All sessions of one run."""

    async def go(self) -> int:
        """Run all sessions concurrently; return the number of received tokens."""

    def check(self) -> None:
        """Raise if one did not end as it should."""


def _import(name: str) -> Callable[[Load], Run]:
    """Import one contestant and nothing of the other; return what makes a run of it."""
    if name.startswith(OURS):
        from with_escapement import make_run as ours  # noqa: PLC0415

        return lambda load: ours(load, has_transcript="no transcript" not in name)
    from with_langgraph import make_run as theirs  # noqa: PLC0415

    mode = "custom" if "custom" in name else "messages"
    return lambda load: theirs(load, mode, has_saver="no saver" not in name)


def _table(load: Load, runs: dict[str, list[dict[str, float]]]) -> str:
    ours = [run["cpu_ms_per_turn"] for run in runs[OURS]]
    lines = [
        (
            f"\n{load.sessions} sessions at once, {load.turns} turns, {load.tokens} tokens a turn; "
            f"{len(ours)} runs of each\n"
        ),
        f"| program | what runs | cpu-ms/turn | × {OURS} |",
        "|:--|:--|--:|--:|",
    ]
    for name, measured in runs.items():
        cpu = [run["cpu_ms_per_turn"] for run in measured]
        ratios = [theirs / our for theirs, our in zip(cpu, ours, strict=True)]  # of one half round
        lines.append(
            f"| {name} | {CONTESTANTS[name]} | {_spread(cpu, 3)} | {_spread(ratios, 1)} |"
        )
    return "\n".join(lines)


def _spread(values: list[float], digits: int) -> str:
    median, low, high = statistics.median(values), min(values), max(values)
    return f"{median:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _ms(run: dict[str, float]) -> str:
    return f"{run['cpu_ms_per_turn']:.3f} cpu-ms/turn, {run['wall_s']:.2f} s"


def _versions() -> str:
    found = [f"{platform.python_implementation()} {platform.python_version()}"]
    found.append(f"escapement {escapement.__version__}")  # what is imported, installed or not
    found += [f"{package} {version(package)}" for package in PACKAGES]
    workers = os.environ.get("ESCAPEMENT_WORKERS", "auto")
    return f"{', '.join(found)}; ESCAPEMENT_WORKERS={workers}; {os.cpu_count()} CPUs"


if __name__ == "__main__":
    main()
