"""The reading of mount points that are mounted again read-only."""

from harness.adapters.local.read_only import read_mounts

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
24 22 0:30 / /mnt/with\\040space\\303\\251 ro,noatime - tmpfs tmpfs rw
"""


def test_mounts_are_read_with_the_flags_that_they_keep() -> None:
    """Flags of a mount are kept, and an escaped blank is decoded."""
    found = [(at.point, at.flags) for at in read_mounts(MOUNTS.splitlines())]
    assert found == [("/", 1 << 21), ("/proc", 14 | 1 << 21), ("/mnt/with spaceé", 1024)]
