"""Leftovers of the tool, found independently of it.

``python -m experiments.faults.leftovers --checkout DIR`` prints a line per leftover, and exits 1 if there is any. ``--before FILE`` excludes the lines of an earlier output.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.adapters.host.owner import own_run_id

_LABEL = "esc-bench.run"
_KEPT_TREES = 4
_MOVING = {"esc-bench:base", "esc-bench:branch"}
_LOCK_PLACES = ("/tmp", "/var/tmp", "/run", "/run/lock", "/dev/shm")  # noqa: S108  only listed
_OURS = ("-m invoke", "bin/invoke", "harness.", "-m harness")


def find_leftovers(checkout: Path, docker_host: str | None = None) -> list[str]:
    """List the leftovers of all runs.

    Args:
        checkout: The repository of the worktrees and results.
        docker_host: Address of the engine; None for that of the environment.
    """
    return [
        *_of_engine(docker_host),
        *_of_git(checkout),
        *_half_written(checkout / "results"),
        *_temporary(),
        *_locks(),
        *_cgroups(),
        *_processes(),
    ]


def _of_engine(docker_host: str | None) -> Iterator[str]:
    environment = {**os.environ, **({"DOCKER_HOST": docker_host} if docker_host else {})}

    def ask(*words: str) -> list[str]:
        done = subprocess.run(
            ["docker", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return (
            done.stdout.splitlines()
            if done.returncode == 0
            else ["unknown: the engine does not answer"]
        )

    cells = set(ask("ps", "--all", "--quiet", "--filter", f"label={_LABEL}"))
    yield from (f"container {name} of a cell" for name in sorted(cells))
    others = set(ask("ps", "--all", "--quiet")) - cells
    yield from (f"container {name}" for name in sorted(others))
    yield from (f"volume {name}" for name in ask("volume", "ls", "--quiet"))
    dangling = ask("images", "--quiet", "--filter", "dangling=true")
    yield from (f"image {name} without a name" for name in dangling)
    tags = ask("images", "--format", "{{.Repository}}:{{.Tag}}", "esc-bench")
    trees = [tag for tag in tags if tag.startswith("esc-bench:tree-")]
    yield from (f"image {tag}" for tag in tags if tag not in _MOVING and tag not in trees)
    yield from (f"image {tag}, of more than {_KEPT_TREES}" for tag in trees[_KEPT_TREES:])


def _of_git(checkout: Path) -> Iterator[str]:
    listing = subprocess.run(
        ["git", "-C", str(checkout), "worktree", "list", "--porcelain"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    folders = [line.removeprefix("worktree ") for line in listing if line.startswith("worktree ")]
    yield from (f"worktree {folder}" for folder in folders[1:])


def _half_written(results: Path) -> Iterator[str]:
    if results.is_dir():
        yield from (f"half-written file {path}" for path in sorted(results.rglob(".*")))


def _temporary() -> Iterator[str]:
    places = {Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")}  # noqa: S108  only listed
    for place in sorted(places):
        for path in sorted(place.glob("*esc-bench*")):
            if _is_store(path):  # builds stay, files of runs do not
                yield from (f"run {run}" for run in sorted(path.glob("runs/*")))
            elif path.suffix != ".lock":
                yield f"temporary folder {path}"


def _is_store(path: Path) -> bool:
    return path.name.removeprefix("esc-bench-").isdigit()


def _locks() -> Iterator[str]:
    for place in map(Path, _LOCK_PLACES):
        for path in sorted(place.glob("*esc-bench*.lock")) + sorted(
            place.glob("esc-bench*/*.lock")
        ):
            yield f"lock {path}"


def _cgroups() -> Iterator[str]:
    own = own_run_id().split("-")[1]  # of this host and process namespace
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        for name in names:
            if name.startswith(f"esc-{own}-"):
                yield f"cgroup {folder}/{name}"


def _processes() -> Iterator[str]:
    for entry in sorted(Path("/proc").iterdir()):
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it has ended
            command = " ".join(words).strip()
            if any(text in command for text in _OURS) and "experiments.faults" not in command:
                yield f"process {entry.name}: {command[:80]}"


def main(arguments: Sequence[str]) -> int:
    """Print the leftovers; return 1 if there are any."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.faults.leftovers", description=__doc__
    )
    parser.add_argument("--checkout", type=Path, default=Path())
    parser.add_argument("--before", type=Path, help="an earlier output, to exclude its lines")
    asked = parser.parse_args(arguments)
    before = asked.before.read_text().splitlines() if asked.before else []
    left = [line for line in find_leftovers(asked.checkout) if line not in before]
    sys.stdout.writelines(f"{line}\n" for line in left)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
