"""Builds without an engine: files, and an environment of a Python of this machine."""

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
        path: The path of its program.
        name: Implementation and version.
        version: The full text of `sys.version`.
    """

    path: str
    name: str
    version: str

    @property
    def base_image(self) -> BaseImage:
        """The interpreter as the base of builds."""
        digest = hashlib.sha256(f"{self.path}\n{self.version}".encode()).hexdigest()
        return BaseImage(id=f"sha256:{digest}", name=self.name)


class LocalBuilds:
    """The builds of this machine, by tree hash.

    Args:
        run_id: Marks half-made builds.
        say: Called with progress messages.
    """

    def __init__(self, store: LocalStore, run_id: str, say: Callable[[str], None]) -> None:
        self._store = store
        self._run_id = run_id
        self._say = say
        self._asked: dict[str, Interpreter] = {}

    def find_base(self, wanted: str) -> BaseImage:
        """Find the Python of the builds.

        Args:
            wanted: A program, by path or on PATH; empty for the Python of this process.

        Raises:
            BuildError: There is no such Python.
        """
        own = self._ask(str(getattr(sys, "_base_executable", sys.executable)))
        found = own if wanted in {"", own.name} else self._ask(shutil.which(wanted) or wanted)
        self._asked[found.base_image.id] = found
        return found.base_image

    def locate(self, tree: Tree, base_image: BaseImage) -> tuple[str, bool]:
        """Return the tag of a tree's build, and whether the build exists."""
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
            # the short name may belong to another tree
            shutil.rmtree(self._store.builds / _name_of(digest), ignore_errors=True)
            self._build(tree, _name_of(digest), self._asked[base_image.id], side)
        os.utime(self._store.builds / _name_of(digest))
        self._point(side, _name_of(digest))
        how = f"{tag} {'found' if is_there else 'built'}, {digest[:_SHORT]}"
        return Build(image=f"sha256:{digest}", how=how)

    def find(self, image: str) -> Build:
        """Find an existing build by its tag, its side's tag, or its id.

        Raises:
            UsageError: There is no build of that name.
        """
        folder = self.folder_of(image)
        if folder is None:
            msg = f"there is no image {image!r} on this machine"
            raise UsageError(msg, hint="make one with `invoke build`, or name its box with --box")
        digest = (folder / "id").read_text()
        return Build(image=f"sha256:{digest}", how=f"{image}, {digest[:_SHORT]}")

    def folder_of(self, image: str) -> Path | None:
        """Return the folder of a build; None if there is no such build."""
        word, _, name = image.partition(":")
        if word == "sha256":
            name = _name_of(name)
        if word not in {REPOSITORY, "sha256"} or not _NAME.fullmatch(name):
            return None
        folder = (self._store.builds / name).resolve()
        return folder if (folder / "id").is_file() else None

    def trim(self) -> list[str]:
        """Remove all but the four builds used last; return a line for each."""
        trees = [path for path in self._store.builds.glob("tree-*") if path.is_dir()]
        removed = []
        for folder in sorted(trees, key=lambda path: path.stat().st_mtime_ns, reverse=True)[
            _KEPT_TREES:
        ]:
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(f"image {REPOSITORY}:{folder.name}")
        return removed

    def _ask(self, program: str) -> Interpreter:
        """Ask a program for its version.

        Raises:
            BuildError: It is no Python.
        """
        command = [program, "-I", "-S", "-c", _TELL]
        try:
            done = _run(command, _ASK_S)
            name, path, *version = done.stdout.splitlines()
        except (OSError, subprocess.SubprocessError, ValueError) as error:
            why = "it does not answer as a Python does" if isinstance(error, ValueError) else error
            msg = f"the base image {program} is no Python of this machine: {why}"
            hint = "name one on PATH with --base-image, or leave the flag out"
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
                # for speed of start; the first cell reports a runtime that does not compile
                python_i = [str(half / "env/bin/python"), "-I"]  # ignores the current folder
                words = ["-m", "compileall", "-q", "--limit-sl-dest", str(half)]
                subprocess.run(
                    [*python_i, *words, str(half / "bench")],
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
        """Move the side's tag to a build."""
        half = self._store.builds / f".{side}-{self._run_id}"
        half.unlink(missing_ok=True)
        half.symlink_to(name)
        half.replace(self._store.builds / str(side))


def environment_of(build: Path, scratch: Path) -> Mapping[str, str]:
    """Return the environment of a cell: that of the image, see the Dockerfile."""
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
    """Return the command that makes an empty environment: uv, else the Python."""
    uv = shutil.which("uv")
    if uv:
        options = ("--quiet", "--no-project", "--no-config", "--offline", "--python", python)
        return (uv, "venv", *options)
    return (python, "-I", "-m", "venv", "--without-pip")


def _open_to_all(folder: Path) -> None:
    """Make a folder readable for all users: a cell may run as another user."""
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
