"""Two arms of one build against each other: what a run and its document say of them."""

from harness.model.nouns import Arm, Side
from harness.verbs.compare import compare
from tests.builders.world import BASE_TREE, FakeWorld, make_request, make_world
from tests.fakes.fake_box import holds_up_to

ARMS = {Side.BASE: Arm.HAND, Side.BRANCH: Arm.SC_MEM}


def _two_arms() -> FakeWorld:
    holds = {
        "hand": holds_up_to(2000, peak_threads=2, cpu_ms_per_turn=1.0, mock_lag_p99_ms=60.0),
        "sc-mem": holds_up_to(1000, peak_threads=8, cpu_ms_per_turn=4.0, mock_lag_p99_ms=60.0),
    }
    fakes = make_world(
        base_tree=BASE_TREE,
        branch_tree=BASE_TREE,
        branch=lambda image, spec: holds[spec.arm](image, spec),
        base=lambda image, spec: holds[spec.arm](image, spec),
    )
    compare(fakes.world, make_request(1000, 2000, arms=ARMS))
    return fakes


TABLE = """\
## hand → sc-mem: `ba5eba5` → `b4a7b4a`

Exploratory (not a gate) — regressed: capacity at least 2,000 → 1,000–2,000, the branch is bound by memory; peak-threads 2 → 8, +6; cpu-ms/turn +300 % [+300, +300]

- base: `ba5eba5` — Pump by polling; runtime 303b765f335b, driven by hand
- branch: `b4a7b4a` — Pump by waking; runtime 303b765f335b, driven by sc-mem
- Compared: **settings**: the same runtime driven by two arms (hand, sc-mem) (the merge-base with main)
- Load: 6 turns, ttft 200 ms, 50 tokens at 5 ms
- Caps: 2 CPU, 2 GiB memory and no swap, no network, 600 s a cell
- Box: docker, Docker 27.0 (overlay2), cgroup v2, base image fake-base:1
- Host: Debian, Linux 6.1, x86_64, 4 CPUs, 8 GiB; 2026-11-30T12:00:00Z

|   C (sessions) |   base peak-threads | base outcome                |   branch peak-threads | branch outcome                                                                    |
|---------------:|--------------------:|:----------------------------|----------------------:|:----------------------------------------------------------------------------------|
|          1,000 |               **2** | ok — 1.50× latency-infl     |                     8 | ok — 1.50× latency-infl                                                           |
|          2,000 |               **2** | **ok** — 1.50× latency-infl |                ~4,000 | **DIED — oom: out of memory at 2 GiB, its cgroup's oom_kill rose** (2 of 2 cells) |

Takeaways:

- base (hand): no knee up to C=2,000
- branch (sc-mem): the knee is between C=1,000 and C=2,000: oom (out of memory at 2 GiB, its cgroup's oom_kill rose)
- **branch (sc-mem) collapses at C=2,000 (oom); base (hand) holds at least 2,000.**
- Threads per session: base (hand) 0 [0, 0].
- KiB of memory per session: base (hand) 0 [0, 0].
- CPU per turn: +300.0 % [+300.0 %, +300.0 %] on the branch (sc-mem) at C=1,000, the highest level that both pass.
- Latency inflation: +0.0 % [+0.0 %, +0.0 %] on the branch (sc-mem) at C=1,000, the highest level that both pass.

### Cost, where both sides passed

|     C |   base cpu-ms/turn |   branch | ratio                         |   base latency-infl |   branch | ratio                   |   base peak-rss-mb |   branch | ratio                   |
|------:|-------------------:|---------:|:------------------------------|--------------------:|---------:|:------------------------|-------------------:|---------:|:------------------------|
| 1,000 |                  1 |        4 | +300.0 % [+300.0 %, +300.0 %] |                1.50 |     1.50 | +0.0 % [+0.0 %, +0.0 %] |                100 |      100 | +0.0 % [+0.0 %, +0.0 %] |

Each ratio is branch/base: the geometric mean over pairs of neighbouring cells, with its 95 % paired-t interval. Two pairs resolve little; an interval that spans 0 % shows no difference.

### Cost per session, extrapolated to the limits of the box

| cost                   | base slope [95 %]   | branch slope [95 %]   | limit             | base reaches it at C   | branch reaches it at C   |
|:-----------------------|:--------------------|:----------------------|:------------------|:-----------------------|:-------------------------|
| threads per session    | 0 [0, 0]            | –                     | none              | –                      | –                        |
| cpu-ms per turn        | 1 [1, 1]            | –                     | 1 CPU             | 450 [450, 450]         | –                        |
| KiB per session        | 0 [0, 0]            | –                     | 2 GiB             | never                  | –                        |
| open files per session | 0 [0, 0]            | –                     | 20,000 open files | never                  | –                        |

Observed: base (hand) passed C=2,000, the highest level tried; branch (sc-mem) failed between C=1,000 and C=2,000 (oom).

### How cells ended

|     C | side            | outcome   | reason                                             | evidence                 |
|------:|:----------------|:----------|:---------------------------------------------------|:-------------------------|
| 2,000 | branch (sc-mem) | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 3 of 2,000 sessions done |
| 2,000 | branch (sc-mem) | oom       | out of memory at 2 GiB, its cgroup's oom_kill rose | 3 of 2,000 sessions done |

### Warnings

- C=1,000 base (hand): the simulated model was 60 ms late (99th percentile) without a runtime: the box is too small for this level
- C=1,000 base (hand): the simulated model was 60 ms late (99th percentile) without a runtime: the box is too small for this level
- C=2,000 base (hand): the simulated model was 60 ms late (99th percentile) without a runtime: the box is too small for this level
- C=2,000 base (hand): the simulated model was 60 ms late (99th percentile) without a runtime: the box is too small for this level
"""  # fmt: skip


def test_compare_of_two_arms_says_which_side_drives_which() -> None:
    """Header, takeaways and warnings name the arms; a late mock warns at the floor."""
    assert _two_arms().store.only.document == TABLE


def test_compare_of_two_arms_drives_each_side_by_its_own() -> None:
    """The check before the ramp included; each cell on disk says what it drove."""
    fakes = _two_arms()
    assert [(spec.arm, spec.level) for _, spec in fakes.box.specs][:4] == [
        ("hand", 1),
        ("sc-mem", 1),
        ("hand", 1000),
        ("sc-mem", 1000),
    ]
    assert {
        (cell.slot.side, cell.drive.arm) for cell in fakes.store.only.cells if cell.drive
    } == set(ARMS.items())


def test_compare_of_two_arms_is_stored_and_followed_under_both_names() -> None:
    """The folder and the lines that a person follows tell the two arms."""
    fakes = _two_arms()
    assert list(fakes.store.runs) == ["results/2026-11-30T12:00:00Z-hand-sc-mem-ba5eba5-b4a7b4a"]
    assert "compared: settings (hand and sc-mem)" in fakes.progress.lines
    assert "base (hand): no knee up to C=2,000" in fakes.progress.lines


def test_compare_of_two_arms_of_two_runtimes_is_doubted() -> None:
    """A change measured with two arms stays a change, with a warning."""
    fakes = make_world()
    environments = {Side.BASE: {}, Side.BRANCH: {"SCALE_VT": "0"}}
    request = make_request(1000, arms=ARMS, environments=environments)
    lines = compare(fakes.world, request).splitlines()
    assert lines[6] == (
        "- Compared: **change**: the two sides hold different runtimes, driven by two arms (hand, sc-mem) "
        "(the merge-base with main)"
    )
    assert lines[-1] == (
        "- the runtime, the arm, the environment differ: the cause of a difference stays unknown"
    )


def test_compare_of_two_arms_in_two_environments_names_both_settings() -> None:
    """One runtime with two settings changed at once is told as that."""
    fakes = make_world(branch_tree=BASE_TREE)
    environments = {Side.BASE: {}, Side.BRANCH: {"SCALE_VT": "0"}}
    request = make_request(1000, arms=ARMS, environments=environments)
    lines = compare(fakes.world, request).splitlines()
    assert lines[6].startswith(
        "- Compared: **settings**: the same runtime driven by two arms (hand, sc-mem) and in two environments ("
    )
    assert lines[-1].startswith("- both the arm and the environment differ: ")
