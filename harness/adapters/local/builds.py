"""Builds without an engine: a tree of files and an environment of a Python that is on this machine."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.host.trees import write_tree
from harness.adapters.local.store import LocalStore
from harness.model.errors import BuildError, UsageError
from harness.model.nouns import Side
from harness.model.tree import Tree
from harness.verbs.ports import BaseImage, Build

REPOSITORY = "esc-bench"
PROBE = "harness/probe/__main__.py"
_KEPT_TREES = 4
_NAME = re.compile(r"[A-Za-z0-9-]{1,80}")
_SHORT = 12
_ASK_S = 30.0
_BUILD_S = 300.0
_TELL = (
    "import platform, os, sys; "
    "print(platform.python_implementation(), platform.python_version()); print(os.path.realpath(sys.executable)); print(sys.version)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python of this machine.

    Args:
        path: Of its program.
        name: What it says that it is.
        version: All that it says of its version.
    """

    path: str
    name: str
    version: str

    @property
    def base_image(self) -> BaseImage:
        """It as what builds stand on."""
        digest = hashlib.sha256(f"{self.path}\n{self.version}".encode()).hexdigest()
        return BaseImage(id=f"sha256:{digest}", name=self.name)


class LocalBuilds:
    """The builds of this machine, by the hash of what they are made from.

    Args:
        store: Where they are.
        run_id: Under which halves are made.
        say: Is told what takes long.
    """

    def __init__(self, store: LocalStore, run_id: str, say: Callable[[str], None]) -> None:
        self._store = store
        self._run_id = run_id
        self._say = say
        self._asked: dict[str, Interpreter] = {}

    def find_base(self, wanted: str) -> BaseImage:
        """Find the Python that builds stand on.

        Args:
            wanted: A program, by path or as on PATH; empty for the one that this runs in.

        Raises:
            BuildError: There is no such Python.
        """
        own = self._ask(str(getattr(sys, "_base_executable", sys.executable)))
        found = own if wanted in {"", own.name} else self._ask(shutil.which(wanted) or wanted)
        self._asked[found.base_image.id] = found
        return found.base_image

    def locate(self, tree: Tree, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's build, and whether it is there."""
        digest = tree.hash_on(base_image.id)
        name = _name_of(digest)
        note = self._store.builds / name / "id"
        return f"{REPOSITORY}:{name}", note.is_file() and note.read_text() == digest

    def build(self, tree: Tree, *, base_image: BaseImage, side: Side) -> Build:
        """Build a tree, or find it already built, and give it the side's moving tag.

        Raises:
            BuildError: It does not build.
        """
        digest = tree.hash_on(base_image.id)
        tag, is_there = self.locate(tree, base_image)
        if not is_there:
            self._say(f"{side:<6} building {tag}")
            shutil.rmtree(
                self._store.builds / _name_of(digest), ignore_errors=True
            )  # of another tree
            self._build(tree, _name_of(digest), self._asked[base_image.id], side)
        os.utime(self._store.builds / _name_of(digest))
        self._point(side, _name_of(digest))
        how = f"{tag} {'found' if is_there else 'built'}, {digest[:_SHORT]}"
        return Build(image=f"sha256:{digest}", how=how)

    def find(self, image: str) -> Build:
        """Find a build that is there already, by its tag, its side's, or its id.

        Raises:
            UsageError: There is none of that name.
        """
        folder = self.folder_of(image)
        if folder is None:
            msg = f"there is no image {image!r} on this machine"
            raise UsageError(msg, hint="make one with `invoke build`, or see what --box has it")
        digest = (folder / "id").read_text()
        return Build(image=f"sha256:{digest}", how=f"{image}, {digest[:_SHORT]}")

    def folder_of(self, image: str) -> Path | None:
        """Return where a build is; None where there is none of that name."""
        word, _, name = image.partition(":")
        if word == "sha256":
            name = _name_of(name)
        if word not in {REPOSITORY, "sha256"} or not _NAME.fullmatch(name):
            return None
        folder = (self._store.builds / name).resolve()
        return folder if (folder / "id").is_file() else None

    def trim(self) -> list[str]:
        """Remove all but the four builds that were used last; return what was removed."""
        trees = [path for path in self._store.builds.glob("tree-*") if path.is_dir()]
        removed = []
        for folder in sorted(trees, key=lambda path: path.stat().st_mtime_ns, reverse=True)[
            _KEPT_TREES:
        ]:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(f"image {REPOSITORY}:{folder.name}")
        return removed

    def _ask(self, program: str) -> Interpreter:
        """Have a Python say what it is.

        Raises:
            BuildError: It is none.
        """
        command = [program, "-I", "-S", "-c", _TELL]
        try:
            done = _run(command, _ASK_S)
            name, path, *version = done.stdout.splitlines()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            why = "it does not answer as a Python does" if isinstance(error, ValueError) else error
            msg = f"the base image {program} is no Python of this machine: {why}"
            hint = "name one that is on PATH with --base-image, or leave it out"
            raise BuildError(msg, hint=hint) from error
        return Interpreter(path=path, name=name, version="\n".join(version))

    def _build(self, tree: Tree, name: str, python: Interpreter, side: Side) -> None:
        if not tree.holds(PROBE):
            msg = f"the {side} does not build: it holds no {PROBE}"
            raise BuildError(msg, hint="see that the bench's files are there")
        try:
            with self._store.making(name, self._run_id) as half:
                write_tree(half / "bench", tree)
                _run([*_environment_maker(python.path), str(half / "env")], _BUILD_S)
                # for speed of start: a runtime that does not compile is for its first cell to report
                own = (
                    str(half / "env/bin/python"),
                    "-I",
                )  # modules of the folder we are in are not for this
                words = (
                    "-m",
                    "compileall",
                    "-q",
                    "--limit-sl-dest",
                    str(half),
                    str(half / "bench"),
                )
                subprocess.run(
                    [*own, *words],
                    capture_output=True,
                    timeout=_BUILD_S,
                    check=False,
                )
                (half / "id").write_text(tree.hash_on(python.base_image.id))
                _open_to_all(half)
        except subprocess.CalledProcessError as error:
            lines = str(error.stderr).strip().splitlines()
            msg = f"the {side} does not build: {error.cmd[0]} ended with exit code {error.returncode}"
            raise BuildError(
                msg, hint="see that this Python can make environments", tail=lines[-15:]
            ) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"the {side} does not build: {error}"
            raise BuildError(msg) from error

    def _point(self, side: Side, name: str) -> None:
        """Have the side's tag name a build."""
        half = self._store.builds / f".{side}-{self._run_id}"
        half.unlink(missing_ok=True)
        half.symlink_to(name)
        half.replace(self._store.builds / str(side))


def environment_of(build: Path, scratch: Path) -> Mapping[str, str]:
    """Return the environment that a cell starts with, which is that of the image: see the Dockerfile."""
    return {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONPATH": f"{build / 'bench/src'}:{build / 'bench'}",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SCALE_SCRATCH": str(scratch),
        "SCALE_VT": "1",
    }


def _environment_maker(python: str) -> Sequence[str]:
    """Return what makes an environment without anything in it: uv where it is there, else the Python itself."""
    uv = shutil.which("uv")
    if uv:
        return (
            uv,
            "venv",
            "--quiet",
            "--no-project",
            "--no-config",
            "--offline",
            "--python",
            python,
        )
    return (python, "-I", "-m", "venv", "--without-pip")


def _open_to_all(folder: Path) -> None:
    """Let everybody read what is there, whatever the umask: a cell may run as somebody else."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() else 0o644))


def _run(command: Sequence[str], timeout_s: float) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=True,
    )


def _name_of(digest: str) -> str:
    return f"tree-{digest[:_SHORT]}"
