"""Commands that remove rights and network of a process, if the host allows."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

NOBODY = 65534
_CHECK = "import os, sys; os.listdir(sys.argv[1]); print(sys.version)"
_CHECK_S = 20.0
_SAME_ADDRESSES = ("setarch", "-R")
_BARE = ("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """One way to confine a process.

    Args:
        words: The words before its command.
        uid: The user that it runs as, if another one; the files that it writes must belong to them.
        how: For people; begins with ``unconfined`` if nothing confines it.
        has_no_network: Whether its own loopback is its only network.
    """

    words: Sequence[str]
    uid: int | None
    how: str
    has_no_network: bool = True

    def with_closed_files(self, closing: Path, scratch: Path) -> Sequence[str]:
        """Return words that also make all files read-only except below a folder.

        Args:
            closing: The program of the harness that does it.
            scratch: The folder.

        Returns:
            No words on a host without namespaces.
        """
        if not self.words:
            return ()
        at = self.words.index("--")
        own_mounts = (*self.words[:at], "--mount", "--propagation", "private", "--")
        program = (sys.executable, "-I", "-S", str(closing), str(scratch))
        return (*own_mounts, *program, *self.words[at + 1 :])


_OF_ROOT = (
    Confinement(
        words=(
            "unshare", "--net", "--", "setpriv",
            f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *_BARE, "--",
        ),
        uid=NOBODY,
        how=f"unprivileged (uid {NOBODY}) and without a network",
    ),
    Confinement(
        words=("unshare", "--net", "--", "setpriv", *_BARE, "--"),
        uid=None,
        how=f"without capabilities and without a network, but not as another user: uid {NOBODY} cannot run this interpreter",
    ),
)  # fmt: skip
_NAMESPACE = ("unshare", "--user", "--net", "--map-root-user", "--")
_OF_A_USER = (
    Confinement(
        words=(*_NAMESPACE, "setpriv", *_BARE, "--"),
        uid=None,
        how="as this user, without capabilities and without a network",
    ),
    Confinement(
        words=_NAMESPACE,
        uid=None,
        how="as this user, without a network",
    ),
)


def find_confinement(
    folder: Path, ways: Sequence[Confinement] | None = None, *, fixed_addresses: bool = True
) -> Confinement:
    """Return the first confinement in which this interpreter runs.

    Args:
        folder: The working folder of the processes; their user must be able to read it.
        ways: The candidates; by default those of this user.
        fixed_addresses: Whether to turn address randomisation off, if the host allows it: collisions in sets depend on addresses.
    """
    if ways is None:
        ways = _OF_ROOT if os.geteuid() == 0 else _OF_A_USER
    failure = ""
    for way in ways:
        failure = _try(way.words, folder)
        if not failure:
            break
    else:
        way = Confinement(words=(), uid=None, how=f"unconfined: {failure}", has_no_network=False)
    fixed = (*way.words, *_SAME_ADDRESSES)
    return replace(way, words=fixed) if fixed_addresses and not _try(fixed, folder) else way


def _try(words: Sequence[str], folder: Path) -> str:
    """Run the interpreter behind these words; return why it fails, empty if it runs.

    An interpreter that cannot read its own library may run with another one: the versions must be equal.
    """
    command = [*words, sys.executable, "-S", "-P", "-c", _CHECK, str(folder)]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{words[0]} cannot be run: {error}"
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return lines[-1] if lines else f"{words[0]} ended with exit code {done.returncode}"
    if done.stdout.strip() != sys.version:
        return f"another interpreter runs there: {done.stdout.strip()}"
    return ""
