"""Run the contract of the boxes in a Debian guest with systemd and cgroup v2.

Run it as root on Debian with debootstrap and qemu-system-x86: ``python -m experiments.guest --folder /var/tmp/guest``. Making the guest takes some minutes, and so do
the tests where there is no KVM. It prints what the guest prints, and exits as its tests do.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from experiments.guest.image import make_disk, make_root
from experiments.guest.machine import run_guest

_PROGRAMS = ("debootstrap", "qemu-system-x86_64", "mkfs.ext4")


def main(arguments: Sequence[str]) -> int:
    """Make the guest, run it, and return the exit code of its tests."""
    parser = argparse.ArgumentParser(prog="python -m experiments.guest", description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        required=True,
        help="where the guest is made and kept; a few gigabytes",
    )
    parser.add_argument("--fresh", action="store_true", help="make its system anew")
    asked = parser.parse_args(arguments)
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if missing:
        how = "Debian: apt install debootstrap qemu-system-x86 e2fsprogs"
        sys.stderr.write(f"not on PATH: {', '.join(missing)} — {how}\n")
        return 2
    folder: Path = asked.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if asked.fresh:
        shutil.rmtree(folder / "root", ignore_errors=True)
    checkout = Path(
        subprocess.run(
            ["git", "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    root = make_root(folder, checkout)
    return run_guest(root, make_disk(folder, root))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
