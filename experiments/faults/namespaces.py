"""Namespaces that isolate the injected faults from the rest of the machine.

Inside, `/tmp`, `/var/tmp` and `/run` are private folders. There is no network, no process from outside, and no socket of the machine's engine. When
the first process ends, the kernel kills and unmounts the rest.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

CGROUP = "esc-faults"
HIDDEN = (Path("/tmp"), Path("/var/tmp"), Path("/run"))  # noqa: S108  only hidden, never used
_UNSHARE = (
    *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *("sh", "-c", '"$@"; exit $?', "init"),  # a shell, because the first process must reap orphans
)


def is_hidden(folder: Path) -> bool:
    """Return whether a folder is hidden by a private one."""
    return any(folder == hidden or hidden in folder.parents for hidden in HIDDEN)


def run_inside(words: Sequence[str]) -> int:
    """Run a command in new namespaces, remove its cgroups, and return its exit code."""
    code = subprocess.run([*_UNSHARE, *words], check=False).returncode
    for _ in range(50):  # the kernel needs a moment after the last process
        if not _remove_cgroups():
            return code
        time.sleep(0.1)
    sys.stderr.write(f"cgroups {CGROUP} were not removed\n")
    return code or 1


def hide_shared_folders(folder: Path) -> None:
    """Mount private folders over the shared ones; called once, inside.

    Args:
        folder: For the private folders.
    """
    run("mount", "--make-rprivate", "/")
    for hidden in HIDDEN:
        own = folder / "private" / hidden.relative_to("/")
        own.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", str(own), str(hidden))
        hidden.chmod(0o1777 if hidden.name == "tmp" else 0o755)
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    Path("/run/lock").mkdir()
    Path("/run/lock").chmod(0o1777)
    run("ip", "link", "set", "lo", "up")


def run(*words: str) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(words)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}"
        raise AssertionError(message)
    return done.stdout


def _remove_cgroups() -> list[Path]:
    """Remove the cgroups of the engines, deepest first; return those in use."""
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
