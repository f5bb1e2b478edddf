"""The statistics of a cgroup, in folders as v1 and v2 kernels show them."""

from pathlib import Path

import pytest

from harness.probe.kernel.cgroup import parse_cgroup
from harness.probe.kernel.cgroup_stats import (
    CgroupLimits,
    read_counters,
    read_cpu_ms,
    read_limits,
    read_usage,
)
from tests.unit.probe.cgroup_files import (
    UNLIMITED,
    V1_FILES,
    V2_FILES,
    membership_v1,
    mount_v1,
    mount_v2,
    write,
)


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("/docker/abc", "/docker/abc"),
        ("/", "/"),
        ("/docker/abc", "/"),
        ("/../other", "/elsewhere"),
    ],
)
def test_cgroup_v1_in_a_container_is_the_mount_itself(
    tmp_path: Path, root: str, path: str
) -> None:
    """Whatever root and path are, the container's own cgroup is at the mount."""
    write(tmp_path, V1_FILES)
    cgroup = parse_cgroup(mount_v1(tmp_path, root), membership_v1(path))
    assert read_limits(cgroup) == CgroupLimits(
        cpus=2.0, memory_bytes=1 << 31, swap_bytes=0, pids=512
    )


def test_cgroup_v1_counters_are_read_in_their_units(tmp_path: Path) -> None:
    """v1 counts throttled time in ns, and includes the memory of child cgroups."""
    write(tmp_path, V1_FILES)
    cgroup = parse_cgroup(mount_v1(tmp_path, "/"), membership_v1("/"))
    counters, usage = read_counters(cgroup), read_usage(cgroup)
    assert (counters.oom_kills, counters.oom_events, counters.pids_refused) == (2, None, 3)
    assert (counters.nr_throttled, counters.throttled_ms) == (7, 2500.0)
    assert counters.cpu_pressure_ms is None
    assert (usage.pids, usage.pids_peak) == (17, None)
    assert (usage.anonymous_bytes, usage.memory_peak_bytes) == (2064384, 1310720000)


def test_cgroup_on_a_host_is_held_to_the_limits_of_its_parents(tmp_path: Path) -> None:
    """The lowest limit between the cgroup and the mount holds."""
    write(tmp_path, V1_FILES)
    inner = {name.replace("/", "/job/inner/"): text for name, text in V1_FILES.items()}
    inner |= {
        "memory/job/inner/memory.limit_in_bytes": UNLIMITED,
        "memory/job/inner/memory.memsw.limit_in_bytes": UNLIMITED,
        "pids/job/inner/pids.max": "max\n",
        "cpu/job/inner/cpu.cfs_quota_us": "-1\n",
        "cpu/job/cpu.cfs_quota_us": "50000\n",
        "cpu/job/cpu.cfs_period_us": "100000\n",
    }
    write(tmp_path, inner)
    cgroup = parse_cgroup(mount_v1(tmp_path, "/"), membership_v1("/job/inner"))
    assert read_limits(cgroup) == CgroupLimits(
        cpus=0.5, memory_bytes=1 << 31, swap_bytes=0, pids=512
    )


def test_cgroup_v2_limits_and_counters(tmp_path: Path) -> None:
    """v2 has one folder for all controllers, microseconds, `max` and its own peaks."""
    write(tmp_path, V2_FILES)
    cgroup = parse_cgroup(mount_v2(tmp_path, "/"), "0::/\n")
    counters, usage = read_counters(cgroup), read_usage(cgroup)
    assert read_limits(cgroup) == CgroupLimits(
        cpus=1.5, memory_bytes=1 << 30, swap_bytes=0, pids=None
    )
    assert (counters.oom_kills, counters.oom_events, counters.pids_refused) == (1, 2, 0)
    assert (counters.nr_throttled, counters.throttled_ms) == (4, 1.5)
    assert (counters.cpu_pressure_ms, counters.memory_pressure_ms) == (250.0, 4.0)
    assert (usage.pids, usage.pids_peak) == (5, 21)
    assert (usage.anonymous_bytes, usage.memory_peak_bytes) == (800000000, 900000000)


def test_cgroup_cpu_time_is_read_in_ms(tmp_path: Path) -> None:
    """v1 counts ns, perhaps in a separate hierarchy; v2 counts us."""
    write(tmp_path / "v1", V1_FILES)
    write(tmp_path / "v2", V2_FILES)
    apart = f"40 31 0:40 / {tmp_path}/v1/cpuacct ro - cgroup cgroup rw,cpuacct\n"
    assert read_cpu_ms(parse_cgroup(apart, "2:cpuacct:/\n")) == 7500.0
    assert read_cpu_ms(parse_cgroup(mount_v2(tmp_path / "v2", "/"), "0::/\n")) == 1.25
    assert read_cpu_ms(parse_cgroup(mount_v2(tmp_path, "/"), "0::/\n")) is None
    assert read_cpu_ms(parse_cgroup(apart.replace("v1/cpuacct", "none"), "2:cpuacct:/\n")) is None
    assert read_cpu_ms(parse_cgroup("", "")) is None


def test_cgroup_v1_wins_where_both_are_mounted(tmp_path: Path) -> None:
    """On a hybrid host the controllers are in v1 and the pressure is in v2."""
    write(tmp_path / "v1", V1_FILES)
    names = ("cgroup.events", "cpu.pressure")
    write(tmp_path / "v2", {name: V2_FILES[name] for name in names})
    mounts = mount_v2(tmp_path / "v2", "/") + mount_v1(tmp_path / "v1", "/")
    counters = read_counters(parse_cgroup(mounts, membership_v1("/")))
    assert counters.throttled_ms == 2500.0
    assert counters.cpu_pressure_ms == 250.0


def test_cgroup_pressure_excludes_that_of_the_whole_host(tmp_path: Path) -> None:
    """The v2 root, which has no cgroup.events, does not describe the box."""
    write(tmp_path, {"cpu.pressure": V2_FILES["cpu.pressure"]})
    assert read_counters(parse_cgroup(mount_v2(tmp_path, "/"), "0::/\n")).cpu_pressure_ms is None


def test_cgroup_mount_with_a_space_is_found(tmp_path: Path) -> None:
    """Mountinfo writes a space as an octal escape."""
    write(tmp_path / "a b", V2_FILES)
    mounts = mount_v2(tmp_path / "a b", "/").replace("a b", r"a\040b")
    assert read_limits(parse_cgroup(mounts, "0::/\n")).memory_bytes == 1 << 30


def test_cgroup_without_limits_or_files_reads_as_none(tmp_path: Path) -> None:
    """A root cgroup has no limits; a system without cgroups has no files."""
    unlimited = {"memory.max": "max\n", "memory.swap.max": "max\n", "cpu.max": "max 100000\n"}
    write(tmp_path, unlimited)
    nothing = CgroupLimits(cpus=None, memory_bytes=None, swap_bytes=None, pids=None)
    for mounts, membership in [(mount_v2(tmp_path, "/"), "0::/\n"), ("", "")]:
        cgroup = parse_cgroup(mounts, membership)
        assert read_limits(cgroup) == nothing
        assert read_counters(cgroup).throttled_ms is None
        assert read_usage(cgroup).pids is None
