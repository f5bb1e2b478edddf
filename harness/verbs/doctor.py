"""The doctor: rules that turn the facts of a host into findings with advice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from harness.model.text import printable
from harness.model.units import show_bytes, show_count
from harness.outcome.causes import MAPS_A_THREAD

_THREADS_A_SESSION = 2  # with platform workers
_ENOUGH_BYTES = 4 << 30
_ENOUGH_INODES = 200_000
_LEVEL = 8_000
_BUSY = 0.25  # of the CPUs of the box, as a share that makes cells invalid
_STEAL = 0.02


class Severity(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxFact:
    """A kind of box on this host.

    Args:
        kind: Its name in `--box`.
        found: Its description, or the reason why it does not work.
        doubts: Caps that it does not enforce.
    """

    kind: str
    works: bool
    found: str
    doubts: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Free space on a file system.

    Args:
        what: The files that are written there.
        free_inodes: None where the file system does not count them.
    """

    what: str
    where: str
    free_bytes: int
    free_inodes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GitFact:
    """Git, and the checkout that it finds.

    Args:
        version: Or why there is no git.
        checkout: The two commits that are compared, or why nothing can be.
    """

    version: str
    checkout: str
    can_compare: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """The facts of a host; None for a fact that the system does not report.

    Args:
        boxes: The best first.
        governors: The frequency governors of the CPUs, each once.
        busy: CPUs that other programs use, over a second.
        steal: The share of time that a hypervisor takes.
        tools: Counters of exact costs, and whether each is installed.
    """

    boxes: Sequence[BoxFact]
    cpus: int
    memory_bytes: int
    governors: Sequence[str]
    busy: float | None
    steal: float | None
    pid_max: int | None
    threads_max: int | None
    max_map_count: int | None
    open_files: int
    git: GitFact
    spaces: Sequence[Space]
    python: str
    tools: Sequence[tuple[str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFinding:
    """A finding about the host.

    Args:
        topic: One or two words.
        found: The fact.
        means: Its effect on a run; empty if there is none.
        do: The advice; empty if there is nothing to do.
    """

    severity: Severity
    topic: str
    found: str
    means: str = ""
    do: str = ""


def examine(facts: HostFacts, *, box_cpus: float, open_files: int) -> list[HostFinding]:
    """Return the findings about a host.

    Args:
        box_cpus: CPUs of the box.
        open_files: Files that a cell may open.
    """
    return [
        *_boxes(facts.boxes),
        *_machine(facts, box_cpus),
        *_limits(facts, open_files),
        *_git(facts),
        *(_space(space) for space in facts.spaces),
        *_tools(facts),
    ]


def can_run(facts: HostFacts) -> bool:
    """Return whether any box works."""
    return any(box.works for box in facts.boxes)


_HOW_TO_HAVE = {
    "docker": "install an engine and start it (Debian: `sudo apt install docker.io`), or point DOCKER_HOST at one",
    "cgroup": "log in through systemd (v2 is then delegated to you), or run as root where /sys/fs/cgroup can be written",
    "watchdog": "free disk space for builds in /var/tmp",
}


def _boxes(boxes: Sequence[BoxFact]) -> Iterator[HostFinding]:
    first = next((box.kind for box in boxes if box.works), None)
    for box in boxes:
        if box.works:
            is_used = box.kind == first
            doubts = " ".join(box.doubts)
            means = "taken by --box auto" if is_used else ""
            yield HostFinding(
                severity=Severity.NOTE if doubts and is_used else Severity.OK,
                topic=f"{box.kind} box",
                found=box.found,
                means=" — ".join(text for text in (means, doubts) if text),
            )
        else:
            yield HostFinding(
                severity=Severity.NOTE if first else Severity.BAD,
                topic=f"{box.kind} box",
                found=box.found,
                means="" if first else "nothing can be run",
                do=_HOW_TO_HAVE[box.kind],
            )


def _machine(facts: HostFacts, box_cpus: float) -> Iterator[HostFinding]:
    spare = facts.cpus - box_cpus
    yield HostFinding(
        severity=Severity.OK if spare >= 1 else Severity.NOTE,
        topic="CPUs",
        found=f"{facts.cpus}, and {show_bytes(facts.memory_bytes)} of memory",
        means=""
        if spare >= 1
        else f"a box of {box_cpus:g} uses all of them: other programs take CPU from it",
        do="" if spare >= 1 else "keep the host quiet while cells run",
    )
    slow = [name for name in facts.governors if name not in {"performance", "schedutil"}]
    if slow:
        yield HostFinding(
            severity=Severity.NOTE,
            topic="governor",
            found=", ".join(slow),
            means="the clock follows the load, so that cpu-ms/turn moves with it",
            do="`sudo cpupower frequency-set -g performance` while cells run",
        )
    if facts.busy is not None:
        allowed = max(0.0, spare) + box_cpus * _BUSY
        is_busy = facts.busy > allowed
        yield HostFinding(
            severity=Severity.NOTE if is_busy else Severity.OK,
            topic="other load",
            found=f"{facts.busy:.1f} CPUs",
            means=f"more than the {allowed:.1f} that a cell tolerates: it would be invalid"
            if is_busy
            else "",
            do="stop what else runs, or wait" if is_busy else "",
        )
    if facts.steal is not None and facts.steal > _STEAL:
        yield HostFinding(
            severity=Severity.NOTE,
            topic="steal",
            found=f"{facts.steal:.1%}".replace("%", " %"),
            means="the hypervisor lends this machine's CPUs to others: cells would be invalid",
            do="measure on a machine of your own, or at another time",
        )


def _limits(facts: HostFacts, open_files: int) -> Iterator[HostFinding]:
    threads = [
        (name, limit, most)
        for name, limit, most in (
            ("kernel.pid_max", facts.pid_max, facts.pid_max),
            ("kernel.threads-max", facts.threads_max, facts.threads_max),
            (
                "vm.max_map_count",
                facts.max_map_count,
                facts.max_map_count and round(facts.max_map_count / MAPS_A_THREAD),
            ),
        )
        if limit and most
    ]
    if threads:
        name, limit, most = min(threads, key=lambda one: one[2])
        sessions = most // _THREADS_A_SESSION
        is_low = sessions < _LEVEL
        yield HostFinding(
            severity=Severity.NOTE if is_low else Severity.OK,
            topic="threads",
            found=f"{name} {show_count(limit)}",
            means=f"room for {show_count(sessions)} sessions with two OS threads each; asyncio tasks need none",
            do=f"`sudo sysctl -w {name}={limit * 4}` to go beyond" if is_low else "",
        )
    is_low = facts.open_files < open_files
    yield HostFinding(
        severity=Severity.NOTE if is_low else Severity.OK,
        topic="open files",
        found=show_count(facts.open_files),
        means=f"without Docker a cell gets these instead of {show_count(open_files)}"
        if is_low
        else "",
        do=f"`ulimit -Hn {open_files}`, or nofile in /etc/security/limits.conf" if is_low else "",
    )


def _git(facts: HostFacts) -> Iterator[HostFinding]:
    yield HostFinding(
        severity=Severity.OK if facts.git.can_compare else Severity.BAD,
        topic="git",
        found=f"{facts.git.version}; {facts.git.checkout}",
        means="" if facts.git.can_compare else "nothing can be compared",
        do="" if facts.git.can_compare else "run it in a clone of the repository",
    )


def _space(space: Space) -> HostFinding:
    inodes = space.free_inodes
    is_low = space.free_bytes < _ENOUGH_BYTES or (inodes is not None and inodes < _ENOUGH_INODES)
    counted = "" if inodes is None else f" and {show_count(inodes)} inodes"
    return HostFinding(
        severity=Severity.NOTE if is_low else Severity.OK,
        topic="disk",
        found=f"{show_bytes(space.free_bytes)}{counted} free for {space.what} in {space.where}",
        means="sc-ckpt at C=8,000 leaves some 70 MB and 16,000 files a cell until the run is over"
        if is_low
        else "",
        do="free disk space, or compare with --arm sc-mem" if is_low else "",
    )


def _tools(facts: HostFacts) -> Iterator[HostFinding]:
    missing = [name for name, is_there in facts.tools if not is_there]
    there = [name for name, is_there in facts.tools if is_there]
    yield HostFinding(
        severity=Severity.NOTE if missing else Severity.OK,
        topic="exact costs",
        found=", ".join([*there, *(f"no {name}" for name in missing), facts.python]),
        means="`invoke cost` and the gate skip what these count" if missing else "",
        do=f"Debian: `sudo apt install {' '.join(missing)}`" if missing else "",
    )


_SIGNS = {Severity.OK: "ok  ", Severity.NOTE: "note", Severity.BAD: "BAD "}


def doctor_text(findings: Sequence[HostFinding], *, can_run: bool) -> str:
    """Return the findings as text, with effect and advice, and a summary."""
    width = max(len(finding.topic) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_SIGNS[finding.severity]}  {finding.topic:<{width}}  {finding.found}")
        indent = " " * (width + 8)
        lines += [f"{indent}{text}" for text in (finding.means,) if text]
        lines += [f"{indent}do: {text}" for text in (finding.do,) if text]
    return (
        "\n".join(printable(line) for line in lines) + f"\n\n{_summary(findings, can_run=can_run)}"
    )


def _summary(findings: Sequence[HostFinding], *, can_run: bool) -> str:
    if not can_run:
        return "Nothing can be run here: no box works."
    notes = sum(finding.severity is not Severity.OK for finding in findings)
    return f"Cells can be run here{f'; {notes} to be noted' if notes else ''}."
