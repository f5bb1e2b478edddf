"""Fault injection into real runs, with checks of the run and of leftovers.

Run it as root on Debian with docker.io: ``python -m experiments.faults --folder /srv/faults``. Everything runs in separate namespaces with its own
Docker engine; the engine of the machine only provides the base image. It prints a table, and exits 0 only if all faults were survived.
"""

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.faults.engine import Engine
from experiments.faults.namespaces import HIDDEN, hide_shared_folders, is_hidden, run_inside
from experiments.faults.registry import SCENARIOS
from experiments.faults.scenario import Lab, Scenario
from experiments.faults.table import document, try_scenario

_PROGRAMS = ("dockerd", "docker", "containerd", "unshare", "mkfs.ext4", "ip", "git")
_BASE_IMAGE = "esc-bench-base:bookworm"
_COMMITTER = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "faults"), ("EMAIL", "faults@example.invalid"))
}


def main(arguments: Sequence[str]) -> int:
    """Inject the requested faults, and return 0 if all checks passed."""
    asked = _parse(arguments)
    chosen = [s for s in SCENARIOS if not asked.only or s.name in asked.only]
    if asked.list:
        sys.stdout.writelines(f"{s.name:<16} {s.fault}: {s.how}\n" for s in SCENARIOS)
        return 0
    if asked.only and len(chosen) < len(set(asked.only)):
        sys.stderr.write("--only: unknown fault; see --list\n")
        return 2
    folder: Path = asked.folder.resolve()
    if asked.inside:
        return _try_all(chosen, folder, asked)
    return _refuse(folder) or _enter(folder, arguments)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.faults", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("/srv/faults"), help="for all files")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="name of a fault; repeatable"
    )
    parser.add_argument("--kills", type=int, default=20, help="number of kills at random moments")
    parser.add_argument("--seed", type=int, default=7, help="seed of the moments")
    parser.add_argument("--list", action="store_true", help="list the faults")
    parser.add_argument("--keep", action="store_true", help="keep the clones and their output")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _refuse(folder: Path) -> int:
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    for is_wrong, words in (
        (os.geteuid() != 0, "namespaces and engines require root"),
        (missing, f"not on PATH: {', '.join(missing)} — Debian: apt install docker.io e2fsprogs"),
        *(
            (
                is_hidden(path),
                f"{path} is hidden inside: use {use} outside of {', '.join(map(str, HIDDEN))}",
            )
            for path, use in (
                (folder, "a --folder"),
                (Path.cwd(), "a checkout"),
                (Path(sys.executable), "a Python"),
            )
        ),
    ):
        if is_wrong:
            sys.stderr.write(f"{words}\n")
            return 2
    return 0


def _enter(folder: Path, arguments: Sequence[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    image = folder / "base-image.tar"
    if not image.exists():
        whole = image.with_suffix(".part")
        subprocess.run(["docker", "save", "--output", str(whole), _BASE_IMAGE], check=True)
        whole.rename(image)
    return run_inside([sys.executable, "-m", "experiments.faults", *arguments, "--inside"])


def _try_all(chosen: Sequence[Scenario], folder: Path, asked: argparse.Namespace) -> int:
    os.environ.update(_COMMITTER)
    hide_shared_folders(folder)
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    tried, numbers = [], itertools.count(1)
    with Engine(work, "engine").running(folder / "base-image.tar") as engine:
        for scenario in chosen:
            moments = random.Random(f"{asked.seed} {scenario.name}")  # noqa: S311  not for secrets
            lab = Lab(
                *(work, Path.cwd(), folder / "base-image.tar", engine),
                *(moments, asked.kills, numbers),
            )
            tried.append(try_scenario(scenario, lab))
    if not asked.keep:
        shutil.rmtree(work)
        shutil.rmtree(folder / "private", ignore_errors=True)
    sys.stdout.write(document(tried, seed=asked.seed))
    return int(any(findings.wrong for _, findings in tried))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
