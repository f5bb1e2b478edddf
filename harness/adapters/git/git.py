"""The one place that runs git, without the programs that a repository names."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import IO

from harness.model.errors import RepoError

Settings = Sequence[tuple[str, str]]
_CANARY = "esc-bench.quiet"  # a setting of ours that shows that git read the others too
_OFF: Settings = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", os.devnull),
    ("submodule.recurse", "false"),
    ("log.showSignature", "false"),
    ("safe.bareRepository", "explicit"),  # a folder of the branch may look like a repository
    (_CANARY, "true"),
)
# A hook that runs the bench has GIT_DIR and the like set: they would win over our folder.
_KEPT = re.compile(
    r"GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)"
)
_SET = {
    "GIT_OPTIONAL_LOCKS": "0",  # another git may work here
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for an older git
    "LC_ALL": "C",
}
_FILTERS = r"^(filter\..*\.(smudge|clean|process|required)|esc-bench\.quiet)$"
_LONGEST_BYTES = 64 << 20
_TAIL = 5


class Git:
    """Git in one working tree.

    Args:
        root: The folder that git runs in.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._no_filters: Settings | None = None

    def run(self, *arguments: str, codes: Sequence[int] = (0,), settings: Settings = ()) -> str:
        """Return a command's output without the last newline, empty if it failed.

        Args:
            arguments: The subcommand first. Text from outside comes after ``--end-of-options``, or is a full hash.
            codes: Exit codes that are no error.
            settings: Git configuration of this command alone.

        Raises:
            RepoError: It ended with another code, or printed more than 64 MiB, or git cannot be run.
        """
        if self._no_filters is None:
            self._no_filters = self._find_filters()
        environment = _environment((*_OFF, *self._no_filters, *settings))
        return self._call(arguments, environment, codes).removesuffix("\n")

    def _find_filters(self) -> Settings:
        """Return settings that turn off every filter: a branch chooses among them."""
        words = ("config", "-z", "--name-only", "--get-regexp", _FILTERS)
        names = self._call(words, _environment(_OFF), (0, 1)).split("\0")
        if _CANARY not in names:
            msg = "this git ignores the settings that keep it from running programs of a branch"
            raise RepoError(msg, hint="install git 2.31 or newer")
        drivers = {name.rpartition(".")[0] for name in names if name.startswith("filter.")}
        off = (("smudge", ""), ("clean", ""), ("process", ""), ("required", "false"))
        return [(f"{driver}.{key}", value) for driver in sorted(drivers) for key, value in off]

    def _call(
        self, arguments: Sequence[str], environment: dict[str, str], codes: Sequence[int]
    ) -> str:
        """Run a command; return its output, empty if it failed."""
        name = " ".join(takewhile(lambda word: not word.startswith("-"), arguments[:2]))
        try:
            with tempfile.TemporaryFile() as errors:  # more than a pipe may hold
                status, out = self._read(arguments, environment, errors)
                errors.seek(0)
                complaint = errors.read(1 << 16).decode(errors="replace")
        except (OSError, ValueError) as error:  # ValueError: no argument can hold the text
            raise self._explain(error) from error
        if len(out) > _LONGEST_BYTES:
            msg = f"git {name} printed more than {_LONGEST_BYTES >> 20} MiB in {self._root}"
            raise RepoError(msg, hint="let git ignore files that are no sources")
        if status:
            _refuse_unusable(complaint, self._root)
        if status not in codes:
            msg = f"git {name} failed with exit code {status} in {self._root}"
            raise RepoError(msg, tail=complaint.splitlines()[-_TAIL:])
        return os.fsdecode(out) if status == 0 else ""

    def _read(
        self, arguments: Sequence[str], environment: dict[str, str], errors: IO[bytes]
    ) -> tuple[int, bytes]:
        with subprocess.Popen(
            ["git", *arguments],
            cwd=self._root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # a second Ctrl-C does not reach git in a cleanup
        ) as process:
            try:
                out = process.stdout.read(_LONGEST_BYTES + 1) if process.stdout else b""
            except BaseException:  # Ctrl-C: its children would write to folders of the cleanup
                os.killpg(process.pid, signal.SIGKILL)
                raise
            if len(out) > _LONGEST_BYTES:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, out

    def _explain(self, error: Exception) -> RepoError:
        """Return the error of a git that did not start."""
        if shutil.which("git") is None:
            return RepoError("git is not on PATH", hint="install git")
        if not self._root.is_dir():
            return RepoError(f"{self._root} is gone")
        hint = "free disk space, or set TMPDIR to a folder that can be written to"
        is_host = isinstance(error, OSError)
        return RepoError(f"git cannot be run: {error}", hint=hint if is_host else "")


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment of git, with settings after those of the environment.

    The last setting wins, over every file too. ``git -c`` cannot set a name with an equals sign. Other variables of git are dropped.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or _KEPT.fullmatch(name)
    }
    environment = {**kept, **_SET}
    count = environment.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    for number, (name, value) in enumerate(settings, start=first):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    environment["GIT_CONFIG_COUNT"] = str(first + len(settings))
    return environment


def _refuse_unusable(complaint: str, root: Path) -> None:
    """Raise an error for a repository in which no command works."""
    if "dubious ownership" in complaint:
        msg = f"{root} belongs to another user, and git refuses to work in it"
        hint = f"if you trust it: git config --global --add safe.directory {root}"
        raise RepoError(msg, hint=hint)
    if "promisor" in complaint or "lazy fetching disabled" in complaint:
        msg = f"{root} is a partial clone without the objects of the comparison"
        raise RepoError(msg, hint="fetch them: git fetch --refetch --no-filter")
