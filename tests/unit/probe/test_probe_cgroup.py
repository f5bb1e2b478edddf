"""The cgroup's files, in trees as v1 and v2 kernels show them."""

from pathlib import Path

import pytest

from harness.probe.kernel.cgroup import Cgroup
from harness.probe.kernel.cgroup_counters import (
    Limits,
    read_counters,
    read_cpu_ms,
    read_limits,
    read_usage,
)
from harness.probe.supervisor.box_watch import BoxWatch

UNLIMITED = "9223372036854771712\n"

V1_FILES = {
    "memory/memory.limit_in_bytes": "2147483648\n",
    "memory/memory.memsw.limit_in_bytes": "2147483648\n",
    "memory/memory.max_usage_in_bytes": "1310720000\n",
    "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "memory/memory.stat": (
        "cache 94208\nrss 1032192\nshmem 0\nhierarchical_memory_limit 2147483648\n"
        "total_cache 94208\ntotal_rss 2064384\n"
    ),
    "pids/pids.max": "512\n",
    "pids/pids.current": "17\n",
    "pids/pids.events": "max 3\n",
    "cpu/cpu.cfs_quota_us": "200000\n",
    "cpu/cpu.cfs_period_us": "100000\n",
    "cpuacct/cpuacct.usage": "7500000000\n",
    "cpu/cpu.stat": "nr_periods 100\nnr_throttled 7\nthrottled_time 2500000000\n",
}

V2_FILES = {
    "cgroup.events": "populated 1\nfrozen 0\n",
    "cpu.max": "150000 100000\n",
    "cpu.stat": (
        "usage_usec 1250\nuser_usec 60\nsystem_usec 40\nnr_periods 9\nnr_throttled 4\n"
        "throttled_usec 1500\n"
    ),
    "cpu.pressure": (
        "some avg10=1.50 avg60=0.10 avg300=0.00 total=250000\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=100\n"
    ),
    "memory.max": "1073741824\n",
    "memory.swap.max": "0\n",
    "memory.peak": "900000000\n",
    "memory.events": "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n",
    "memory.stat": "anon 800000000\nfile 12345\nkernel 99\n",
    "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=4000\n",
    "pids.max": "max\n",
    "pids.current": "5\n",
    "pids.peak": "21\n",
    "pids.events": "max 0\n",
}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write a tree of files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


def mount_v1(folder: Path, root: str) -> str:
    """Return the mountinfo of a v1 host or container."""
    lines = ["22 1 0:5 / /proc rw - proc proc rw"]
    lines += [
        f"{number} 31 0:{number} {root} {folder}/{name} ro,nosuid shared:9 - cgroup cgroup rw,{options}"
        for number, (name, options) in enumerate(
            [("cpu", "cpu,cpuacct"), ("memory", "memory"), ("pids", "pids")], start=32
        )
    ]
    return "\n".join(lines) + "\n"


def membership_v1(path: str) -> str:
    """Return the /proc/self/cgroup of a process in v1 hierarchies."""
    return f"9:name=systemd:{path}\n8:pids:{path}\n4:memory:{path}\n1:cpu,cpuacct:{path}\n0::/\n"


def mount_v2(folder: Path, root: str) -> str:
    """Return the mountinfo of a v2 host or container."""
    return f"30 29 0:26 {root} {folder} ro,nosuid - cgroup2 cgroup rw,nsdelegate\n"


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
    """In a container the cgroup is at the mount, whatever the kernel reports."""
    write(tmp_path, V1_FILES)
    cgroup = Cgroup(mount_v1(tmp_path, root), membership_v1(path))
    assert read_limits(cgroup) == Limits(cpus=2.0, memory_bytes=1 << 31, swap_bytes=0, pids=512)


def test_cgroup_v1_counters_are_read_in_their_units(tmp_path: Path) -> None:
    """v1 counts throttled time in ns, and includes memory of child cgroups."""
    write(tmp_path, V1_FILES)
    cgroup = Cgroup(mount_v1(tmp_path, "/"), membership_v1("/"))
    counters, usage = read_counters(cgroup), read_usage(cgroup)
    assert (counters.oom_kills, counters.oom_events, counters.pids_refused) == (2, None, 3)
    assert (counters.nr_throttled, counters.throttled_ms) == (7, 2500.0)
    assert counters.cpu_pressure_ms is None
    assert (usage.pids, usage.pids_peak) == (17, None)
    assert (usage.anonymous_bytes, usage.memory_peak_bytes) == (2064384, 1310720000)


def test_cgroup_on_a_host_is_held_to_the_limits_around_it(tmp_path: Path) -> None:
    """The lowest limit on the way up to the mount is the one that holds."""
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
    cgroup = Cgroup(mount_v1(tmp_path, "/"), membership_v1("/job/inner"))
    assert read_limits(cgroup) == Limits(cpus=0.5, memory_bytes=1 << 31, swap_bytes=0, pids=512)


def test_cgroup_v2_limits_and_counters(tmp_path: Path) -> None:
    """v2 has one folder, microseconds, `max`, and its own peaks."""
    write(tmp_path, V2_FILES)
    cgroup = Cgroup(mount_v2(tmp_path, "/"), "0::/\n")
    counters, usage = read_counters(cgroup), read_usage(cgroup)
    assert read_limits(cgroup) == Limits(cpus=1.5, memory_bytes=1 << 30, swap_bytes=0, pids=None)
    assert (counters.oom_kills, counters.oom_events, counters.pids_refused) == (1, 2, 0)
    assert (counters.nr_throttled, counters.throttled_ms) == (4, 1.5)
    assert (counters.cpu_pressure_ms, counters.memory_pressure_ms) == (250.0, 4.0)
    assert (usage.pids, usage.pids_peak) == (5, 21)
    assert (usage.anonymous_bytes, usage.memory_peak_bytes) == (800000000, 900000000)


def test_cgroup_cpu_time_is_read_in_ms(tmp_path: Path) -> None:
    """CPU time is read in ns from v1, in us from v2, else unknown."""
    write(tmp_path / "v1", V1_FILES)
    write(tmp_path / "v2", V2_FILES)
    apart = f"40 31 0:40 / {tmp_path}/v1/cpuacct ro - cgroup cgroup rw,cpuacct\n"
    assert read_cpu_ms(Cgroup(apart, "2:cpuacct:/\n")) == 7500.0
    assert read_cpu_ms(Cgroup(mount_v2(tmp_path / "v2", "/"), "0::/\n")) == 1.25
    assert read_cpu_ms(Cgroup(mount_v2(tmp_path, "/"), "0::/\n")) is None
    assert read_cpu_ms(Cgroup(apart.replace("v1/cpuacct", "none"), "2:cpuacct:/\n")) is None
    assert read_cpu_ms(Cgroup("", "")) is None


def test_cgroup_v1_wins_where_both_are_mounted(tmp_path: Path) -> None:
    """On a hybrid host a controller is where v1 has it; pressure is where v2 has it."""
    write(tmp_path / "v1", V1_FILES)
    names = ("cgroup.events", "cpu.pressure")
    write(tmp_path / "v2", {name: V2_FILES[name] for name in names})
    mounts = mount_v2(tmp_path / "v2", "/") + mount_v1(tmp_path / "v1", "/")
    counters = read_counters(Cgroup(mounts, membership_v1("/")))
    assert counters.throttled_ms == 2500.0
    assert counters.cpu_pressure_ms == 250.0


def test_cgroup_pressure_of_the_whole_host_is_not_ours(tmp_path: Path) -> None:
    """The root of v2, which has no cgroup.events, is not the box."""
    write(tmp_path, {"cpu.pressure": V2_FILES["cpu.pressure"]})
    assert read_counters(Cgroup(mount_v2(tmp_path, "/"), "0::/\n")).cpu_pressure_ms is None


def test_cgroup_mount_with_a_space_is_found(tmp_path: Path) -> None:
    """Mountinfo writes a space as an octal escape."""
    write(tmp_path / "a b", V2_FILES)
    mounts = mount_v2(tmp_path / "a b", "/").replace("a b", r"a\040b")
    assert read_limits(Cgroup(mounts, "0::/\n")).memory_bytes == 1 << 30


def test_cgroup_without_limits_or_files_reads_as_none(tmp_path: Path) -> None:
    """A root cgroup has no limits, and a system without cgroups has not even that."""
    unlimited = {"memory.max": "max\n", "memory.swap.max": "max\n", "cpu.max": "max 100000\n"}
    write(tmp_path, unlimited)
    nothing = Limits(cpus=None, memory_bytes=None, swap_bytes=None, pids=None)
    for mounts, membership in [(mount_v2(tmp_path, "/"), "0::/\n"), ("", "")]:
        cgroup = Cgroup(mounts, membership)
        assert read_limits(cgroup) == nothing
        assert read_counters(cgroup).throttled_ms is None
        assert read_usage(cgroup).pids is None


def test_box_tells_what_has_risen_since_it_was_made(tmp_path: Path) -> None:
    """Counters are differences, peaks are what was seen, limits are as read."""
    write(tmp_path, V1_FILES)
    box = BoxWatch(Cgroup(mount_v1(tmp_path, "/"), membership_v1("/")))
    write(tmp_path, {"memory/memory.oom_control": "oom_kill 3\n", "pids/pids.current": "40\n"})
    box.sample()
    write(tmp_path, {"pids/pids.current": "2\n"})
    box.close()
    evidence = box.evidence()
    assert evidence["oom-kills"] == 1
    assert evidence["oom-events"] is None
    assert evidence["throttled-ms"] == 0
    assert (evidence["pids-max"], evidence["pids-peak"]) == (512, 40)
    assert evidence["anonymous-peak-bytes"] == 2064384
    assert {"max-map-count", "pid-max", "threads-max", "nofile"} <= set(evidence)


def test_box_caps_are_what_the_host_compares(tmp_path: Path) -> None:
    """The CAPS map names what the host asked for, in its units."""
    write(tmp_path, V1_FILES)
    caps = dict(BoxWatch(Cgroup(mount_v1(tmp_path, "/"), membership_v1("/"))).caps())
    assert caps.pop("network") is not None
    assert caps == {
        "cpus": 2.0,
        "memory-bytes": 1 << 31,
        "swap-bytes": 0,
        "pids": 512,
        "cgroup": "v1",
    }
