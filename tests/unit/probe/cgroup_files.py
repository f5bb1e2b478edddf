"""The files of a cgroup in v1 and v2 kernels, and the mounts that lead to them."""

from pathlib import Path

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
