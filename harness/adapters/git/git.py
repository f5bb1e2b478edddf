"""The one place that runs git: with everything switched off by which a repository, or a file in it, could run a program."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import IO

from harness.model.errors import RepoError

_SIGN = "esc-bench.quiet"  # a setting of ours, by which it is seen that git took the others too
_OFF = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", os.devnull),
    ("core.pager", "cat"),
    ("core.askPass", ""),
    ("submodule.recurse", "false"),
    ("diff.ignoreSubmodules", "all"),
    ("log.showSignature", "false"),
    ("log.mailmap", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("safe.bareRepository", "explicit"),  # a folder of the branch may look like a repository
    (_SIGN, "true"),
)
# A hook that runs the bench has GIT_DIR and its like set, which would win over the folder that was asked for.
_KEPT = re.compile(
    r"GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM|COUNT|KEY_\d+|VALUE_\d+)"
    r"|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)"
)
_SET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # the same for a git that does not know the line above
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_ASKED = r"^(filter\..*\.(smudge|clean|process|required)|esc-bench\.quiet)$"
_LONGEST_BYTES = 64 << 20
_TAIL = 5


class Git:
    """Git in one working tree.

    Args:
        root: The folder that it runs in.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._no_filters: list[tuple[str, str]] | None = None

    def run(
        self,
        *arguments: str,
        codes: Sequence[int] = (0,),
        settings: Sequence[tuple[str, str]] = (),
    ) -> str:
        """Run a command and return what it printed, without a last newline; empty where it failed with a code that is accepted.

        Args:
            arguments: The subcommand first; nothing of them may come from outside but behind ``--end-of-options`` or as a full hash.
            codes: Exit codes that are no error.
            settings: Of git's configuration, for this command alone.

        Raises:
            RepoError: It failed otherwise, printed more than 64 MiB, or there is no git.
        """
        environment = _environment(os.environ)
        if self._no_filters is None:
            self._no_filters = self._find_filters(environment)
        _add_settings(environment, (*self._no_filters, *settings))
        return self._call(arguments, environment, codes=codes).removesuffix("\n")

    def _find_filters(self, environment: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return what takes every program out of the filters that somebody configured."""
        words = ("config", "-z", "--name-only", "--get-regexp", _ASKED)
        names = [name for name in self._call(words, environment, codes=(0, 1)).split("\0") if name]
        if _SIGN not in names:
            msg = (
                "this git takes no settings from its environment, so that it cannot be kept quiet"
            )
            raise RepoError(msg, hint="install git 2.31 or newer")
        drivers = dict.fromkeys(name.rpartition(".")[0] for name in names if name != _SIGN)
        return [setting for driver in drivers for setting in _of_driver(driver)]

    def _call(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, codes: Sequence[int]
    ) -> str:
        with _errors() as errors:
            try:
                status, out = self._read(arguments, environment, errors.fileno())
            except (OSError, ValueError) as error:
                is_gone = not self._root.is_dir()
                what = f"{self._root} is gone" if is_gone else f"git cannot be run: {error}"
                is_missing = isinstance(error, FileNotFoundError) and not is_gone
                msg = "git is not on PATH" if is_missing else what
                raise RepoError(msg, hint="install git" if is_missing else "") from error
            errors.seek(0)
            said = errors.read(1 << 16).decode(errors="replace")
        if len(out) > _LONGEST_BYTES:
            msg = f"git {_name(arguments)} printed more than {_LONGEST_BYTES >> 20} MiB in {self._root}"
            raise RepoError(msg, hint="is something there that git should ignore?")
        if status:
            _refuse_what_cannot_work(said, self._root)
        if status not in codes:
            msg = f"git {_name(arguments)} failed with exit code {status} in {self._root}"
            raise RepoError(msg, tail=said.splitlines()[-_TAIL:])
        return os.fsdecode(out) if status == 0 else ""

    def _read(
        self, arguments: Sequence[str], environment: Mapping[str, str], errors: int
    ) -> tuple[int, bytes]:
        with subprocess.Popen(
            ["git", *arguments],
            cwd=self._root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # a second Ctrl-C ends nothing that tidies up
        ) as process:
            try:
                out = process.stdout.read(_LONGEST_BYTES + 1) if process.stdout else b""
                if len(out) > _LONGEST_BYTES:
                    _kill_all(process.pid)
            except BaseException:  # Ctrl-C: nobody waits for the rest
                _kill_all(process.pid)
                raise
        return process.returncode, out


def _kill_all(leader: int) -> None:
    """Kill a git and the gits that it has started, which else go on writing what is about to be removed."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


@contextmanager
def _errors() -> Iterator[IO[bytes]]:
    """Give a file for what git complains of, which may be more than a pipe holds."""
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed below
    except OSError as error:
        msg = f"there is no file to be made for temporary use: {error.strerror}"
        raise RepoError(msg, hint="make room, or name another folder with TMPDIR") from error
    with file:
        yield file


def _name(arguments: Sequence[str]) -> str:
    """Return the words of a command before its options."""
    return " ".join(takewhile(lambda word: not word.startswith("-"), arguments[:2]))


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that git gets: of its own variables those that say where its configuration is."""
    kept = {
        name: value
        for name, value in given.items()
        if not name.startswith("GIT_") or _KEPT.fullmatch(name)
    }
    environment = {**kept, **_SET}
    _add_settings(environment, _OFF)
    return environment


def _add_settings(environment: dict[str, str], settings: Sequence[tuple[str, str]]) -> None:
    """Add settings behind those that the environment has: the last one wins, over every file too.

    ``git -c`` cannot hold a name with an equals sign.
    """
    count = environment.get("GIT_CONFIG_COUNT") or "0"
    if not (count.isascii() and count.isdigit() and len(count) < 6):
        msg = f"GIT_CONFIG_COUNT in the environment is {count[:20]!r}, which is no number"
        raise RepoError(msg, hint="unset it")
    for number, (name, value) in enumerate(settings, start=int(count)):
        environment[f"GIT_CONFIG_KEY_{number}"] = name
        environment[f"GIT_CONFIG_VALUE_{number}"] = value
    environment["GIT_CONFIG_COUNT"] = str(int(count) + len(settings))


def _of_driver(driver: str) -> Iterator[tuple[str, str]]:
    """Give the settings of a filter that does nothing; its name may be anything."""
    for setting in ("smudge", "clean", "process"):
        yield f"{driver}.{setting}", ""
    yield f"{driver}.required", "false"


def _refuse_what_cannot_work(said: str, root: Path) -> None:
    """Say what git means by some of its complaints, whichever command they come from."""
    if "dubious ownership" in said:
        msg = f"{root} belongs to somebody else, and git works in it only when told to"
        raise RepoError(
            msg, hint=f"if you trust it: git config --global --add safe.directory {root}"
        )
    if "promisor" in said or "lazy fetching disabled" in said:
        msg = f"{root} is a partial clone, and lacks what the comparison needs"
        raise RepoError(msg, hint="nothing is fetched for you: git fetch --refetch --no-filter")
