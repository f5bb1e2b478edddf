"""Kill sessions at random moments until they are done.

Run it with `python -m experiments.crash_runs --kills 500 --seed 1`.

A turn that the model was asked for at the moment of a kill is asked for again, so a backend sees it at least once. What the chart does with
the answer is in the data exactly once: an event is either in the checkpoint with all that it did, or it is asked for again.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from escapement import Checkpoint, FileBackedStore
from experiments.crash_runs.sessions import KEYS, SESSION_IDS, TICKS, TURNS, entries, turns_of

ROOT = Path(__file__).parents[2]
FURTHEST_BYTES = 160  # of progress, a byte a step
LONGEST_SPIN = 4000  # turns of an empty loop, some 0.1 ms: a kill falls between two steps as well

Records = Mapping[str, Checkpoint]


@dataclass
class Tally:
    """The events so far.

    Attributes:
        kills: Processes that were killed while sessions were under way.
        resumes: Sessions that a process found in the middle, and went on with.
        compared: Sessions that came to their end, and whose data was compared.
        differences: What was not as in a run without kills.
        unfinished_writes: Kills that left a temporary file.
    """

    kills: int
    resumes: int
    compared: int
    differences: list[str]
    unfinished_writes: int

    def __str__(self) -> str:
        return (
            f"{self.kills} kills ({self.unfinished_writes} in the middle of a write), {self.resumes} resumes,"
            f" {self.compared} sessions compared equal, {len(self.differences)} differences"
        )


def crash(folder: Path, *, kills: int, seed: int) -> Tally:
    """Run rounds of sessions to their end, until there were enough kills.

    Args:
        folder: An empty one; each round makes its own in it.
        kills: How many at least.
        seed: Of the moments.
    """
    moments = random.Random(seed)  # noqa: S311  not for secrets
    tally = Tally(0, 0, 0, [], 0)
    expected = _undisturbed(folder / "undisturbed")
    tally.differences += _check_turns(expected)
    number = 0
    while tally.kills < kills and not tally.differences:
        number += 1
        _run_round(folder / f"{number:03d}", expected, moments, tally)
    return tally


def _undisturbed(folder: Path) -> Records:
    command = [sys.executable, "-m", "experiments.crash_runs.sessions", str(folder)]
    subprocess.run(command, cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, check=True)
    return _load(folder)


def _check_turns(expected: Records) -> list[str]:
    return [
        f"{session_id}: {key} is wrong without a kill"
        for session_id in SESSION_IDS
        for key in KEYS
        if turns_of(expected[session_id].data, key)
        != list(range(TICKS if key == "ticks" else TURNS))
    ]


def _run_round(folder: Path, expected: Records, moments: random.Random, tally: Tally) -> None:
    before: Records = {}
    while _run_once(folder, moments):
        tally.kills += 1
        tally.unfinished_writes += any(folder.glob("*.tmp"))
        after = _load(folder)  # each of them as a whole, or this raises
        tally.differences += _compare(before, after, expected)
        tally.resumes += sum("end" not in record.configuration for record in after.values())
        before = after
    done = _load(folder)
    for session_id in SESSION_IDS:
        same = session_id in done and _end(done[session_id]) == _end(expected[session_id])
        tally.compared += same
        if not same:
            tally.differences.append(f"{folder}: {session_id} ended otherwise")
    tally.differences += [f"{path} is left" for path in folder.glob("*.tmp")]
    tally.differences += _broken_lines(folder)


def _run_once(folder: Path, moments: random.Random) -> bool:
    """Kill sessions at a random moment; return False if they ended before it."""
    command = [sys.executable, "-m", "experiments.crash_runs.sessions", str(folder)]
    left, spin = moments.randrange(FURTHEST_BYTES), moments.randrange(LONGEST_SPIN)
    with subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        while left > 0 and (steps := os.read(child.stdout.fileno(), left)):
            left -= len(steps)
        for _ in range(spin):
            pass
        if not left:
            child.kill()
    if child.returncode > 0:
        message = f"the sessions failed with exit code {child.returncode}"
        raise AssertionError(message)
    return child.returncode < 0


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


def _load(folder: Path) -> Records:
    store = FileBackedStore(folder)
    records = {session_id: store.load(session_id) for session_id in SESSION_IDS}
    return {session_id: record for session_id, record in records.items() if record is not None}


def _end(record: Checkpoint) -> Checkpoint:
    """Drop the end of the other conversation, which a finished session never takes."""
    return record._replace(pending=())


def _compare(before: Records, after: Records, expected: Records) -> list[str]:
    differences: list[str] = []
    for session_id, whole in expected.items():
        for key in KEYS:
            had, has = (
                entries(records[session_id].data, key) if session_id in records else []
                for records in (before, after)
            )
            if has != entries(whole.data, key)[: len(has)]:
                differences.append(f"{session_id}: {key} is {has}")
            if len(has) < len(had):
                differences.append(f"{session_id}: {key} went back")
    return differences


def _broken_lines(folder: Path) -> list[str]:
    """List transcript lines that are not JSON, except at a kill."""
    found: list[str] = []
    for path in folder.glob("*.jsonl"):
        lines = path.read_text(encoding="ascii").splitlines()
        for number, (line, following) in enumerate(zip(lines, [*lines[1:], ""], strict=True)):
            try:
                json.loads(line)
            except ValueError:
                if '"type":"session-start"' not in following:
                    found.append(f"{path}:{number + 1}: {line}")
    return found


def main() -> int:
    """Run from the command line; exit 1 if data was lost, doubled or torn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = crash(Path(folder), kills=options.kills, seed=options.seed)
    sys.stdout.write(f"{tally}\n")
    sys.stdout.writelines(f"{difference}\n" for difference in tally.differences)
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(main())
