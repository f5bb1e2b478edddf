"""The findings of the doctor."""

from dataclasses import replace

import pytest

from harness.verbs.doctor import (
    BoxFact,
    GitFact,
    HostFacts,
    HostFinding,
    Severity,
    Space,
    can_run,
    doctor_text,
    examine,
)

DOCKER = BoxFact(kind="docker", works=True, found="Docker 27.0 (overlay2), cgroup v2")
CGROUP = BoxFact(kind="cgroup", works=True, found="no engine: delegated by systemd, cgroup v2")
WATCHDOG = BoxFact(
    kind="watchdog", works=True, found="memory looked at every 25 ms", doubts=("No cap is held.",)
)
SPACE = Space(what="results", where="/home/me", free_bytes=64 << 30, free_inodes=4_000_000)
GIT = GitFact(
    version="git 2.39.5",
    checkout="b4a7b4a is compared with ba5eba5, the merge-base with main",
    can_compare=True,
)
FACTS = HostFacts(
    boxes=(DOCKER, CGROUP, WATCHDOG),
    cpus=8,
    memory_bytes=16 << 30,
    governors=("performance",),
    busy=0.1,
    steal=0.0,
    pid_max=4_194_304,
    threads_max=120_000,
    max_map_count=1_048_576,
    open_files=524_288,
    git=GIT,
    spaces=(SPACE,),
    python="CPython 3.11.7",
    tools=(("valgrind", True), ("strace", True)),
)


def _examine(facts: HostFacts) -> list[HostFinding]:
    return examine(facts, box_cpus=2.0, open_files=20_000)


def _noted(**changes: object) -> list[HostFinding]:
    """Return what is noted of a host that differs from a good one by this."""
    facts = replace(FACTS, **changes)  # type: ignore[arg-type]  # the changes are the test's to get right
    return [finding for finding in _examine(facts) if finding.severity is not Severity.OK]


def test_doctor_notes_nothing_of_a_good_host() -> None:
    """Every finding is fine, and the box that will be taken is told."""
    assert _noted() == []
    assert can_run(FACTS)
    assert (
        doctor_text(_examine(FACTS), can_run=True)
        == """\
ok    docker box    Docker 27.0 (overlay2), cgroup v2
                    taken by --box auto
ok    cgroup box    no engine: delegated by systemd, cgroup v2
ok    watchdog box  memory looked at every 25 ms
                    No cap is held.
ok    CPUs          8, and 16 GiB of memory
ok    other load    0.1 CPUs
ok    threads       kernel.threads-max 120,000
                    room for 60,000 sessions with two OS threads each; asyncio tasks need none
ok    open files    524,288
ok    git           git 2.39.5; b4a7b4a is compared with ba5eba5, the merge-base with main
ok    disk          64 GiB and 4,000,000 inodes free for results in /home/me
ok    exact costs   valgrind, strace, CPython 3.11.7

Cells can be run here."""
    )


def test_doctor_tells_how_to_have_a_better_box() -> None:
    """A box that does not work is named with reason and remedy."""
    gone = BoxFact(kind="docker", works=False, found="no Docker engine answers")
    none = BoxFact(kind="cgroup", works=False, found="no cgroup file system is mounted")
    docker, cgroup, watchdog = _noted(boxes=(gone, none, WATCHDOG))
    assert (docker.found, docker.do[:25]) == (
        "no Docker engine answers",
        "install an engine and sta",
    )
    assert cgroup.do.startswith("log in through systemd")
    assert watchdog.means == "taken by --box auto — No cap is held."


def test_doctor_without_any_box_says_that_nothing_runs() -> None:
    """It is the one thing that makes a machine useless."""
    boxes = tuple(
        BoxFact(kind=box.kind, works=False, found="not here") for box in (DOCKER, CGROUP, WATCHDOG)
    )
    facts = replace(FACTS, boxes=boxes)
    bad = [finding for finding in _examine(facts) if finding.severity is Severity.BAD]
    assert [finding.means for finding in bad] == ["nothing can be run"] * 3
    assert not can_run(facts)
    text = doctor_text(_examine(facts), can_run=False)
    assert text.endswith("\n\nNothing can be run here: no box works.")


@pytest.mark.parametrize(
    ("changes", "topic", "means"),
    [
        ({"cpus": 2}, "CPUs", "a box of 2 uses all of them"),
        ({"governors": ("ondemand", "powersave")}, "governor", "cpu-ms/turn moves with it"),
        ({"busy": 7.0}, "other load", "more than the 6.5 that a cell tolerates"),
        ({"steal": 0.05}, "steal", "cells would be invalid"),
        ({"pid_max": 8_000}, "threads", "room for 4,000 sessions"),
        ({"max_map_count": 32_765}, "threads", "room for 5,600 sessions"),
        ({"open_files": 4_096}, "open files", "gets these instead of 20,000"),
        ({"git": replace(GIT, can_compare=False)}, "git", "nothing can be compared"),
        ({"spaces": (replace(SPACE, free_bytes=1 << 30),)}, "disk", "sc-ckpt at C=8,000"),
        ({"spaces": (replace(SPACE, free_inodes=10),)}, "disk", "sc-ckpt at C=8,000"),
        (
            {"tools": (("valgrind", False), ("strace", True))},
            "exact costs",
            "skip what these count",
        ),
    ],
)
def test_doctor_says_what_each_thing_means(
    changes: dict[str, object], topic: str, means: str
) -> None:
    """One bad fact is one note, with its effect and advice."""
    (noted,) = _noted(**changes)
    assert (noted.topic, noted.do != "") == (topic, True)
    assert means in noted.means


@pytest.mark.parametrize("unknown", ["busy", "steal"])
def test_doctor_passes_over_what_a_system_does_not_tell(unknown: str) -> None:
    """Not every system has an account of everything."""
    assert _noted(**{unknown: None}) == []


def test_doctor_without_kernel_limits_says_nothing_of_threads() -> None:
    """Facts that the system does not report make no finding."""
    facts = replace(
        FACTS,
        pid_max=None,
        threads_max=None,
        max_map_count=None,
        spaces=(replace(SPACE, free_inodes=None),),
    )
    topics = {finding.topic: finding.found for finding in _examine(facts)}
    assert "threads" not in topics
    assert topics["disk"] == "64 GiB free for results in /home/me"


def test_doctor_counts_what_is_to_be_noted() -> None:
    """The last line says whether cells can run, and how much there is to read above."""
    facts = replace(FACTS, cpus=2, steal=0.05)
    assert doctor_text(_examine(facts), can_run=True).splitlines()[-1] == (
        "Cells can be run here; 2 to be noted."
    )
