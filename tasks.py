"""The verbs of the bench: `invoke --list` names them, `invoke --help VERB` explains one."""

import sys
from pathlib import Path

from invoke.collection import Collection

from harness.cli import flags as f
from harness.cli.flags import Flags
from harness.cli.task import verb


@verb(*f.RUN, *f.LADDER, f.PAIRS, *f.DECISION, *f.SIDES, f.RESUME, f.DRY_RUN)
def compare(flags: Flags) -> None:
    """Build the merge-base and your branch, ramp both side by side, and print the table.

    Writes results/STAMP-ARM-BASE-BRANCH/ with table.md, compare.json, cells.jsonl and logs/.
    Exit codes: 0 done, 2 usage, 5 invalid, 6 base or 7 branch cannot run, 10 git, 11 build,
    12 no box, 130 interrupted.
    """
    from harness.cli.wiring import open_session
    from harness.verbs.compare import compare, show_plan

    with open_session(flags) as (world, request):
        print((show_plan if flags[f.DRY_RUN] else compare)(world, request))


@verb(*f.RUN, f.IMAGE, f.LEVELS, f.RESUME)
def ramp(flags: Flags) -> None:
    """Ramp one build, the checkout or --image, until it breaks, and print its table."""
    from harness.cli.wiring import open_session
    from harness.verbs.ramp import ramp

    with open_session(flags) as (world, request):
        print(ramp(world, request, flags[f.IMAGE]))


@verb(f.ONLY, f.REPEATS, *f.WHERE, f.RESUME)
def goals(flags: Flags) -> None:
    """Build the checkout, measure the speed goals, and print their table: a report, not a gate.

    The load is '6 200 50 5' in a box of 2 CPUs and 2g, with 600 s a cell. A missed goal exits 0.
    Writes results/STAMP-goals-COMMIT/ with table.md, goals.json, cells.jsonl and logs/.
    """
    from experiments.speed_goals.run import goals
    from harness.cli.wiring import open_session

    only, repeats = flags[f.ONLY], flags[f.REPEATS]
    with open_session(flags) as (world, request):
        print(goals(world, request, only=only, repeats=repeats))


@verb(*f.RUN, *f.GATE, f.LEVELS, *f.DECISION, *f.SIDES, f.RESUME)
def gate(flags: Flags) -> None:
    """Decide whether your branch may be merged: exact costs, pairs of cells, a verdict.

    Writes results/STAMP-gate-ARM-BASE-BRANCH/ with table.md, summary.md for the pull request,
    compare.json, cells.jsonl and logs/. Margins are in [tool.esc-bench.gate]. Exit codes: 0 pass,
    2 usage, 3 regression, 4 inconclusive (with --strict), 5 invalid, 6 the base or 7 the branch
    cannot run, 10 git, 11 build, 12 no box, 130 interrupted.
    """
    from harness.cli import wiring
    from harness.verbs.gate import gate

    options = wiring.make_gate_options(flags)
    with wiring.open_session(flags) as (world, request):
        result = gate(world, request, options, wiring.make_count(flags, world.progress))
        print(result.document, end="")
        wiring.publish(result.summary, world.progress)
    result.check()


@verb(*f.RUN, f.GATE_PAIRS, f.NO_COSTS)
def selftest(flags: Flags) -> None:
    """Prove the gate here: identical builds must pass, injected regressions must be caught.

    Takes some ten minutes. The noise of this host is kept for a day under results/floors/, and a
    margin below it is refused. Exit code 5 if the gate does not prove itself.
    """
    from harness.cli import wiring
    from harness.verbs.selftest import selftest

    options = wiring.make_gate_options(flags)
    with wiring.open_session(flags) as (world, request):
        result = selftest(world, request, options, wiring.make_count(flags, world.progress))
        print(result.document, end="")
    result.check()


@verb(f.COST_ARM, f.LOAD, f.ENV, f.REPO, *f.SIDES)
def cost(flags: Flags) -> None:
    """Count what a turn and a session cost on both sides: instructions, memory, system calls.

    Needs no engine and no quiet host, and takes half a minute. Exit codes: 0 done, 2 usage,
    5 invalid, 6 the base or 7 the branch has no runtime, 10 git, 130 interrupted.
    """
    from harness.cli.wiring import open_counting
    from harness.verbs.cost import cost

    with open_counting(flags) as (counters, repo, run_id, request):
        print(cost(counters, repo, run_id, request), end="")


@verb(f.BASE, f.MAIN, *f.WHERE)
def build(flags: Flags) -> None:
    """Build the images of both sides, esc-bench:base and esc-bench:branch, without running them."""
    from harness.cli.wiring import open_session
    from harness.verbs.housekeeping import build

    with open_session(flags) as (world, request):
        print(build(world, request))


@verb(f.FOLDER)
def report(flags: Flags) -> None:
    """Print the table of a stored run again, derived anew from its cells."""
    from experiments.speed_goals.run import render_stored
    from harness.cli.wiring import open_store
    from harness.verbs.housekeeping import show_run

    print(show_run(open_store(Path.cwd()), flags[f.FOLDER], {"goals": render_stored}), end="")


@verb()
def arms(_: Flags) -> None:
    """List the arms, and the toggles that change them."""
    from harness.report.arms import arms_text

    print(arms_text())


@verb(f.REPO)
def doctor(flags: Flags) -> None:
    """Report what this machine can run, and what may distort the numbers."""
    from harness.cli.wiring import examine_host

    print(examine_host(flags))


@verb(f.REPO)
def clean(flags: Flags) -> None:
    """Remove what killed runs left: worktrees, containers, half-written files, locks, builds."""
    from harness.cli.wiring import open_leftovers
    from harness.verbs.housekeeping import clean

    with open_leftovers(flags) as leftovers:
        print(clean(*leftovers))


@verb(name="base-image")
def base_image(_: Flags) -> None:
    """Make the base image from Debian's packages, as root, where no registry can be reached."""
    from harness.adapters.docker.base_image import make_base_image

    print(make_base_image(lambda text: print(text, file=sys.stderr, flush=True)))


VERBS = (
    compare,
    gate,
    selftest,
    cost,
    ramp,
    goals,
    build,
    report,
    arms,
    doctor,
    clean,
    base_image,
)
ns = Collection(*VERBS)
ns.configure(dict.fromkeys(flag.parameter for flag in f.CONFIGURED))
