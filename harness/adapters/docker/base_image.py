"""A base image from Debian's packages, for machines without a registry."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from harness.adapters.docker.engine import connect, translated
from harness.adapters.docker.images import LOCAL_BASE
from harness.model.errors import BuildError

_SUITE = LOCAL_BASE.partition(":")[2]
_PACKAGES = "python3,python3-venv,ca-certificates"
_PATH = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def make_base_image(say: Callable[[str], None]) -> str:
    """Make the default base image of both sides, and return its name.

    Args:
        say: Called with progress messages.

    Raises:
        NoBoxError: No engine answers.
        BuildError: debootstrap is missing or fails; the error holds the end of its log.
    """
    client = connect()
    try:
        with tempfile.TemporaryDirectory(prefix="esc-bench-image-") as folder:
            archive = _bootstrap(Path(folder), say)
            say(f"importing {LOCAL_BASE}")
            repository, _, tag = LOCAL_BASE.partition(":")
            with translated("importing an image"):
                client.api.import_image_from_file(
                    str(archive), repository=repository, tag=tag, changes=[_PATH]
                )
    finally:
        client.close()
    return LOCAL_BASE


def _bootstrap(folder: Path, say: Callable[[str], None]) -> Path:
    if shutil.which("debootstrap") is None:
        msg = "debootstrap is not installed"
        raise BuildError(msg, hint="as root: apt-get install debootstrap")
    root, archive = folder / "root", folder / "root.tar"
    say(f"debootstrap {_SUITE} with {_PACKAGES}: about a minute")
    _call(["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(root)])
    _call(["tar", "--one-file-system", "-C", str(root), "-cf", str(archive), "."])
    return archive


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        log = (done.stdout + done.stderr).strip().splitlines()
        msg = f"{command[0]} failed with exit code {done.returncode}"
        raise BuildError(msg, hint="it has to run as root", tail=log[-10:])
