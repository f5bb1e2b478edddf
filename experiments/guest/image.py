"""The disk image of the guest: Debian, Docker, this checkout and its packages."""

import shutil
import subprocess
import sys
from pathlib import Path

_PACKAGES = (
    *(
        "systemd",
        "systemd-sysv",
        "dbus",
        "dbus-user-session",
        "libpam-systemd",
        "linux-image-amd64",
    ),
    *(
        "python3",
        "python3-venv",
        "git",
        "docker.io",
        "apparmor",
        "iptables",
        "ca-certificates",
        "util-linux",
    ),
)
_DISK_BYTES = 6 << 30
_ENV = Path("/opt/esc-bench")  # the same path here and there, because environments hold their own
_CHECKOUT = "srv/esc-bench"

_RUN = """\
#!/bin/sh
# Runs the contract of every box that this guest has, as root and as a user, and powers off.
exec >/dev/console 2>&1
cd /srv/esc-bench
echo "GUEST $(uname -r), systemd $(systemctl --version | head -1 | cut -d' ' -f2), $(stat -fc %T /sys/fs/cgroup), $(nproc) CPUs"
tar -C / --exclude=usr/share/doc --exclude=usr/share/locale --exclude=usr/lib/modules --exclude=usr/bin/containerd \\
    --exclude=usr/sbin/dockerd --exclude=usr/bin/docker -c usr bin sbin lib lib64 etc | docker import - esc-bench-base:bookworm
code=0
echo "GUEST as root: docker, cgroup, watchdog"
{env}/bin/python -m pytest -p no:cacheprovider -rA -q -o timeout=600 tests/contract/test_box.py tests/contract/test_box_cells.py \\
    --run-docker --run-cgroup --run-watchdog || code=$?
echo "GUEST as a user: cgroup, watchdog"
su tester -c 'XDG_RUNTIME_DIR=/run/user/$(id -u) {env}/bin/python -m pytest -p no:cacheprovider -rA -q -o timeout=600 \\
    tests/contract/test_box.py tests/contract/test_box_cells.py --run-cgroup --run-watchdog' || code=$?
echo "GUEST EXIT $code"
sync
systemctl poweroff --force --force
"""

_UNIT = """\
[Unit]
Description=The contract of the boxes
After=docker.service multi-user.target user@1000.service
Wants=docker.service

[Service]
Type=simple
ExecStart=/usr/local/bin/contract

[Install]
WantedBy=multi-user.target
"""


def make_root(folder: Path, checkout: Path) -> Path:
    """Make the guest's file tree, or bring that of the last time up to date.

    Args:
        folder: Where it is kept.
        checkout: Whose tracked and new files are copied into it.
    """
    root = folder / "root"
    if not (root / "done").exists():
        shutil.rmtree(root, ignore_errors=True)
        included = ",".join(_PACKAGES)
        _run("debootstrap", "--variant=minbase", f"--include={included}", "bookworm", str(root))
        _in(root, "useradd", "--create-home", "--uid", "1000", "--shell", "/bin/sh", "tester")
        linger = root / "var/lib/systemd/linger"
        linger.mkdir(parents=True, exist_ok=True)
        (linger / "tester").touch()
        (root / "etc/fstab").write_text("/dev/vda / ext4 defaults,noatime 0 1\n")
        (root / "etc/hostname").write_text("guest\n")
        (root / "done").touch()
    _write(root / "usr/local/bin/contract", _RUN.format(env=_ENV), mode=0o755)
    _write(root / "etc/systemd/system/contract.service", _UNIT)
    _in(root, "systemctl", "enable", "contract.service")
    _copy_environment(root)
    _copy_checkout(checkout, root / _CHECKOUT)
    return root


def make_disk(folder: Path, root: Path) -> Path:
    """Put the file tree on a disk."""
    disk = folder / "disk.img"
    disk.unlink(missing_ok=True)
    with disk.open("wb") as file:
        file.truncate(_DISK_BYTES)
    _run("mkfs.ext4", "-q", "-F", "-d", str(root), str(disk))
    return disk


def _copy_environment(root: Path) -> None:
    """Make the tests' environment at the path that it has in the guest."""
    there = root / str(_ENV).lstrip("/")
    if (there / "done").exists():
        return
    shutil.rmtree(_ENV, ignore_errors=True)
    try:
        _run("/usr/bin/python3", "-m", "venv", str(_ENV))
        pip = (str(_ENV / "bin/python"), "-m", "pip", "install", "-q")
        _run(*pip, "--upgrade", "pip")  # for --group
        _run(*pip, ".[bench,clojure]")
        _run(*pip, "--group", "test")
        _run(*pip[:3], "uninstall", "-q", "-y", "escapement")  # the guest tests the checkout's own
        shutil.copytree(_ENV, there, symlinks=True, dirs_exist_ok=True)
        (there / "done").touch()
    finally:
        shutil.rmtree(_ENV, ignore_errors=True)


def _copy_checkout(checkout: Path, there: Path) -> None:
    listed = subprocess.run(
        [
            "git",
            "-C",
            str(checkout),
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
        capture_output=True,
        check=True,
    ).stdout.decode()
    shutil.rmtree(there, ignore_errors=True)
    for name in filter(None, listed.split("\0")):
        source, target = checkout / name, there / name
        if source.is_file() and not name.startswith("results/"):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _in(root: Path, *words: str) -> None:
    _run("chroot", str(root), *words)


def _run(*words: str) -> None:
    sys.stderr.write(f"+ {' '.join(words)}\n")
    subprocess.run(words, check=True)
