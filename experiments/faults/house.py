"""Namespaces in which faults are injected, hidden from the rest of the machine.

Inside, `/tmp`, `/var/tmp` and `/run` are empty folders of the scratch folder, there is no network, and no process of the outside. The engine of the machine
cannot be reached, because its socket is not there. Whatever is left in the house when its first process ends, the kernel kills and unmounts.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CGROUP = "esc-faults"
_HIDDEN = (Path("/tmp"), Path("/var/tmp"), Path("/run"))  # noqa: S108  not to be used: to be covered
_UNSHARE = (
    *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("sh", "-c", '"$@"; exit $?', "house"),  # it waits for orphans, as a first process has to
)


def is_covered(folder: Path) -> bool:
    """Return whether the house hides a folder behind one of its own."""
    return any(folder == hidden or hidden in folder.parents for hidden in _HIDDEN)


def run_inside(words: Sequence[str]) -> int:
    """Run a command in a house, end its processes, and return its exit code."""
    code = subprocess.run([*_UNSHARE, *words], check=False).returncode
    for _ in range(50):  # the kernel takes a moment to see that the last process has gone
        if not _remove_cgroups():
            return code
        time.sleep(0.1)
    sys.stderr.write(f"cgroups {CGROUP} are still there\n")
    return code or 1


def furnish(folder: Path) -> None:
    """Cover what is shared with the outside; to be called inside, once.

    Args:
        folder: Where the house's own folders are kept.
    """
    run("mount", "--make-rprivate", "/")
    for hidden in _HIDDEN:
        own = folder / "house" / hidden.relative_to("/")
        own.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", str(own), str(hidden))
        hidden.chmod(0o1777 if hidden.name == "tmp" else 0o755)
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/run/lock").mkdir()
    Path("/run/lock").chmod(0o1777)
    run("ip", "link", "set", "lo", "up")


def run(*words: str) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}"
        raise AssertionError(message)
    return done.stdout


def _remove_cgroups() -> list[Path]:
    """Remove the engines' cgroups, deepest first; return those in use."""
    tops = [
        *Path("/sys/fs/cgroup").glob(f"*/{CGROUP}"),
        *Path("/sys/fs/cgroup").glob(CGROUP),
    ]
    busy = []
    for top in tops:
        for folder in [*sorted(filter(Path.is_dir, top.rglob("*")), reverse=True), top]:
            try:
                folder.rmdir()
            except OSError:
                busy.append(folder)
    return busy
