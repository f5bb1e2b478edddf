"""How the counted processes are held: as little as they can do with, and no network, as far as the host allows it."""

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
    """One way to hold a process.

    Args:
        words: What is put before its command.
        uid: Whom it runs as, where that is somebody else; what it writes to must be theirs.
        how: For people; it begins with ``unconfined`` where nothing holds it.
        has_no_network: Whether it sees no network but its own loopback.
    """

    words: Sequence[str]
    uid: int | None
    how: str
    has_no_network: bool = True

    def with_closed_files(self, closing: Path, scratch: Path) -> Sequence[str]:
        """Return the words that also make all files read-only but those of a folder, where there are namespaces to do it in.

        Args:
            closing: The program that does it, of the harness's own.
            scratch: The folder.
        """
        if not self.words:
            return ()
        at = self.words.index("--")
        alone = (*self.words[:at], "--mount", "--propagation", "private", "--")
        own = (sys.executable, "-I", "-S", str(closing), str(scratch))
        return (*alone, *own, *self.words[at + 1 :])


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
    """Return the first way in which this very interpreter runs here.

    An interpreter that cannot read its own library may silently run with another one, so its version is compared.

    Args:
        folder: Where the processes will run, which the one that they run as must be able to read.
        ways: What to try; those of this user by default.
        fixed_addresses: Whether everything is to have the same address each time, where that is allowed.
    """
    if ways is None:
        ways = _OF_ROOT if os.geteuid() == 0 else _OF_A_USER
    said = ""
    for way in ways:
        said = _try(way.words, folder)
        if not said:
            break
    else:
        way = Confinement(words=(), uid=None, how=f"unconfined: {said}", has_no_network=False)
    if fixed_addresses:
        way = replace(way, words=_with_fixed_addresses(way.words, folder))
    return way


def _with_fixed_addresses(words: Sequence[str], folder: Path) -> Sequence[str]:
    """Add what gives everything the same address each time, where that is allowed: how sets collide depends on addresses."""
    fixed = (*words, *_SAME_ADDRESSES)
    return words if _try(fixed, folder) else fixed


def _try(words: Sequence[str], folder: Path) -> str:
    """Run the interpreter behind these words; return why that fails, empty when it does not."""
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
