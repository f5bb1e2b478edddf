"""The verbs of the bench; `invoke --list` names them, `--help VERB` explains one."""

import sys
from pathlib import Path

from invoke.collection import Collection

from harness.cli import flags as f
from harness.cli.flags import Flags
from harness.cli.task import open_session, verb


@verb(*f.RUN, *f.LADDER, f.PAIRS, *f.DECISION, *f.SIDES, f.RESUME, f.DRY_RUN)
def compare(flags: Flags) -> None:
    """Build merge-base and branch, ramp both side by side, and print the table.

    Writes results/STAMP-ARM-BASE-BRANCH/ with table.md, compare.json, cells.jsonl and logs/.
    Exit codes: 0 done, 2 usage, 5 invalid, 6 base or 7 branch cannot run, 10 git, 11 build,
    12 no box, 130 interrupted.
    """
    from harness.verbs.compare import compare, show_plan

    with open_session(flags) as (world, request):
        print((show_plan if flags[f.DRY_RUN] else compare)(world, request))


@verb(*f.RUN, f.IMAGE, f.LEVELS, f.RESUME)
def ramp(flags: Flags) -> None:
    """Ramp one build, the checkout or --image, until it breaks, and print its table."""
    from harness.verbs.ramp import ramp

    with open_session(flags) as (world, request):
        print(ramp(world, request, flags[f.IMAGE]))


@verb(f.ONLY, f.REPEATS, *f.WHERE, f.RESUME)
def goals(flags: Flags) -> None:
    """Build the checkout, measure the speed goals, and print their table.

    Writes results/STAMP-goals-COMMIT/ with table.md, goals.json, cells.jsonl and logs/.
    """
    from experiments.speed_goals.run import goals

    with open_session(flags) as (world, request):
        print(goals(world, request, only=flags[f.ONLY], repeats=flags[f.REPEATS]))


@verb(*f.RUN, *f.GATE, f.LEVELS, *f.DECISION, *f.SIDES, f.RESUME)
def gate(flags: Flags) -> None:
    """Decide whether your branch may be merged: exact costs, pairs of cells, a verdict.

    Writes results/STAMP-gate-ARM-BASE-BRANCH/, with summary.md for the pull request. Margins are
    in [tool.esc-bench.gate]. Exit codes: 0 pass, 2 usage, 3 regression, 4 inconclusive (with
    --strict), 5 invalid, 6 base or 7 branch cannot run, 10 git, 11 build, 12 no box.
    """
    from harness.cli.wiring import make_count, make_gate_options, publish
    from harness.verbs.gate import gate

    options = make_gate_options(flags)
    with open_session(flags) as (world, request):
        result = gate(world, request, options, make_count(flags, world.progress))
        print(result.document, end="")
        publish(result.summary, world.progress)
    result.check()


@verb(*f.RUN, f.GATE_PAIRS, f.NO_COSTS)
def selftest(flags: Flags) -> None:
    """Prove the gate: identical builds must pass, injected regressions be caught.

    Takes some ten minutes. The noise of this host is kept for a day under results/floors/, and a
    margin below it is refused. Exit code 5 if the gate does not prove itself.
    """
    from harness.cli.wiring import make_count, make_gate_options
    from harness.verbs.selftest import selftest

    options = make_gate_options(flags)
    with open_session(flags) as (world, request):
        result = selftest(world, request, options, make_count(flags, world.progress))
        print(result.document, end="")
    result.check()


@verb(f.COST_ARM, f.LOAD, f.ENV, f.REPO, *f.SIDES)
def cost(flags: Flags) -> None:
    """Count the cost of a turn and a session: instructions, memory, system calls.

    Needs no engine and no quiet host, and takes half a minute.
    """
    from harness.cli.wiring import open_counting
    from harness.verbs.cost import cost

    with open_counting(flags) as (counters, repo, run_id, request):
        print(cost(counters, repo, run_id, request), end="")


@verb(f.BASE, f.MAIN, *f.WHERE)
def build(flags: Flags) -> None:
    """Build both sides, as esc-bench:base and esc-bench:branch, without a run."""
    from harness.verbs.housekeeping import build

    with open_session(flags) as (world, request):
        print(build(world, request))


@verb(f.FOLDER)
def report(flags: Flags) -> None:
    """Print the table of a stored run again, recomputed from its cells."""
    from experiments.speed_goals.run import render_stored
    from harness.cli.wiring import show_stored

    print(show_stored(Path.cwd(), flags[f.FOLDER], {"goals": render_stored}), end="")


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
    """Remove what killed runs left: worktrees, containers, files, locks, builds."""
    from harness.cli.wiring import remove_leftovers

    print(remove_leftovers(flags))


@verb(name="base-image")
def base_image(_: Flags) -> None:
    """Make a base image from Debian's packages, as root, without a registry."""
    from harness.adapters.docker.base_image import make_base_image

    print(make_base_image(lambda text: print(text, file=sys.stderr, flush=True)))


ns = Collection.from_module(sys.modules[__name__])
ns.configure(dict.fromkeys(flag.parameter for flag in f.CONFIGURED))
