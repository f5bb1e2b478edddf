"""The place for new control groups, read from files of the kernel."""

from pathlib import Path

import pytest

from harness.adapters.host.cgroups import NEEDED, find_place


class Kernel:
    """A folder with the files of /proc and of a cgroup file system.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.own = root / "proc"
        self.fs = root / "cgroup"
        self.own.mkdir()
        self.fs.mkdir()

    def say(self, mounts: list[str], membership: str) -> None:
        """Have the process's own files say this."""
        (self.own / "mountinfo").write_text("\n".join(mounts) + "\n")
        (self.own / "cgroup").write_text(membership)

    def v2(self, path: str, controllers: str = "cpu memory pids", handed_on: str = "") -> Path:
        """Make a v2 group that has these controllers, and hands those on."""
        folder = self.fs / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cgroup.controllers").write_text(controllers)
        (folder / "cgroup.subtree_control").write_text(handed_on)
        return folder


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """Give a kernel that says nothing yet."""
    return Kernel(tmp_path)


def _mount(kind: str, root: str, point: Path, options: str = "rw") -> str:
    return f"31 23 0:28 {root} {point} rw,relatime shared:9 - {kind} {kind} {options}"


def test_place_in_v1_is_each_hierarchy_of_its_own(kernel: Kernel) -> None:
    """Memory, cpu and pids may each be somewhere else, and cpuacct goes with them."""
    membership = []
    mounts = []
    for number, name in enumerate(("memory", "cpu,cpuacct", "pids"), start=1):
        (kernel.fs / name / "here").mkdir(parents=True)
        mounts.append(_mount("cgroup", "/", kernel.fs / name, f"rw,{name}"))
        membership.append(f"{number}:{name}:/here")
    kernel.say(mounts, "\n".join(membership))
    place, why = find_place(kernel.own)
    assert place is not None
    assert (place.version, why) == (1, "")
    assert place.folders == {
        "memory": kernel.fs / "memory/here",
        "cpu": kernel.fs / "cpu,cpuacct/here",
        "cpuacct": kernel.fs / "cpu,cpuacct/here",
        "pids": kernel.fs / "pids/here",
    }


def test_place_of_a_container_is_what_its_mount_shows(kernel: Kernel) -> None:
    """In a container whose mount hides the host's path, the mount is the place."""
    for name in NEEDED:
        (kernel.fs / name).mkdir()
    mounts = [_mount("cgroup", "/docker/abc", kernel.fs / name, f"rw,{name}") for name in NEEDED]
    kernel.say(mounts, "\n".join(f"{n}:{name}:/docker/abc" for n, name in enumerate(NEEDED)))
    place, _ = find_place(kernel.own)
    assert place is not None
    assert set(place.folders.values()) == {kernel.fs / name for name in NEEDED}


def test_place_in_v2_is_the_nearest_that_has_what_is_needed(kernel: Kernel) -> None:
    """A group without a memory controller is skipped for its parent."""
    top = kernel.v2("", handed_on="pids")
    kernel.v2("user/session", controllers="pids")
    kernel.v2("user", controllers="cpu pids")
    kernel.say([_mount("cgroup2", "/", kernel.fs)], "0::/user/session")
    place, why = find_place(kernel.own)
    assert place is not None
    assert (place.version, why) == (2, "")
    assert set(place.folders.values()) == {top}
    assert (top / "cgroup.subtree_control").read_text() == "+memory +cpu"


def test_place_that_is_nowhere_says_why_the_nearest_is_none(kernel: Kernel) -> None:
    """The reason is that of the group that the process is in."""
    kernel.v2("", controllers="cpu")
    own = kernel.v2("mine", controllers="cpuset")
    kernel.say([_mount("cgroup2", "/", kernel.fs)], "0::/mine")
    assert find_place(kernel.own) == (
        None,
        f"{own} has no memory and no cpu and no pids controller",
    )


def test_place_needs_a_mount(kernel: Kernel) -> None:
    """A machine without control groups has no place for them."""
    kernel.say([_mount("tmpfs", "/", kernel.fs)], "0::/")
    assert find_place(kernel.own) == (None, "no cgroup file system is mounted")
    place, why = find_place(kernel.own / "gone")
    assert place is None
    assert why.startswith("the kernel has no control groups: ")


def test_place_whose_path_has_a_space_is_found(kernel: Kernel) -> None:
    """The kernel writes a space in a path as an octal number."""
    spaced = kernel.fs / "a b"
    spaced.mkdir()
    for name in ("controllers", "subtree_control"):
        (spaced / f"cgroup.{name}").write_text("cpu memory pids")
    kernel.say([_mount("cgroup2", "/", Path(str(spaced).replace(" ", "\\040")))], "0::/")
    place, _ = find_place(kernel.own)
    assert place is not None
    assert set(place.folders.values()) == {spaced}
