"""The box during one run, in a cgroup made of plain files."""

from pathlib import Path

from harness.probe.kernel.cgroup import parse_cgroup
from harness.probe.supervisor.box_monitor import BoxMonitor
from tests.unit.probe.cgroup_files import V1_FILES, membership_v1, mount_v1, write


def test_box_monitor_reports_increases_since_its_creation(tmp_path: Path) -> None:
    """Counters are increases, peaks are the largest samples, limits are constant."""
    write(tmp_path, V1_FILES)
    box = BoxMonitor(parse_cgroup(mount_v1(tmp_path, "/"), membership_v1("/")))
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


def test_box_monitor_caps_have_the_names_and_units_of_the_host(tmp_path: Path) -> None:
    """The CAPS map holds the limits that the host requested, in the same units."""
    write(tmp_path, V1_FILES)
    caps = dict(BoxMonitor(parse_cgroup(mount_v1(tmp_path, "/"), membership_v1("/"))).caps())
    assert caps.pop("network") is not None
    assert caps == {
        "cpus": 2.0,
        "memory-bytes": 1 << 31,
        "swap-bytes": 0,
        "pids": 512,
        "cgroup": "v1",
    }
