"""The guest as a virtual machine: started, listened to on its console, and ended."""

import os
import re
import subprocess
import sys
from pathlib import Path

_MEMORY_MB = 4096
_CPUS = 2
_LONGEST_S = 3600


def run_guest(root: Path, disk: Path) -> int:
    """Run the guest until it powers off, and print its console.

    Returns:
        The exit code of its tests; 1 where it did not come to them.
    """
    (kernel,) = sorted(root.glob("boot/vmlinuz-*"))[-1:]
    (initrd,) = sorted(root.glob("boot/initrd.img-*"))[-1:]
    with_kvm = _has_kvm()
    command = [
        "qemu-system-x86_64",
        *("-accel", "kvm" if with_kvm else "tcg,thread=multi"),
        *("-cpu", "host" if with_kvm else "max"),
        *("-smp", str(_CPUS), "-m", str(_MEMORY_MB)),
        *("-kernel", str(kernel), "-initrd", str(initrd)),
        *(
            "-append",
            "root=/dev/vda rw console=ttyS0 quiet systemd.unified_cgroup_hierarchy=1 systemd.show_status=0",
        ),
        *("-drive", f"file={disk},format=raw,if=virtio,cache=unsafe"),
        *("-nic", "none", "-nographic", "-no-reboot"),
    ]
    code = 1
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as machine:
        try:
            for line in machine.stdout or ():
                sys.stdout.write(line)
                sys.stdout.flush()
                if found := re.search(r"GUEST EXIT (\d+)", line):
                    code = int(found[1])
            machine.wait(_LONGEST_S)
        finally:
            machine.kill()
    return code


def _has_kvm() -> bool:
    """Return whether the processor runs guests; `/dev/kvm` alone is no proof."""
    flags = Path("/proc/cpuinfo").read_text().split()
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and bool({"vmx", "svm"} & set(flags))
