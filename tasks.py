"""What the bench does for people: `invoke --list` names the verbs, `invoke --help VERB` tells how to use one."""

import sys

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from harness.cli.flags import SETTINGS
from harness.cli.task import asked, exit_codes, typed_words, verb


@verb()
def compare(
    c: Context,
    arm: str = "",
    levels: str = "",
    load: str = "",
    cpus: str = "",
    mem: str = "",
    pids: str = "",
    timeout: str = "",
    blocks: str = "",
    warm_up: bool = True,
    refine: bool = False,
    objective: str = "",
    pairs: str = "",
    decision_levels: str = "",
    budget: str = "",
    base: str = "",
    main: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
    env: list[str] | None = None,
    base_env: list[str] | None = None,
    branch_env: list[str] | None = None,
    base_arm: str = "",
    branch_arm: str = "",
    resume: str = "",
    dry_run: bool = False,
) -> None:
    """Build the merge-base and your branch, ramp both side by side, and print the table for the pull request.

    Writes results/STAMP-ARM-BASE-BRANCH/ (both arms, where there are two) with table.md, compare.json, cells.jsonl and logs/.
    Exit codes: 0 done, 2 usage, 5 invalid, 6 base or 7 branch cannot run, 10 git, 11 build, 12 no box, 130 interrupted.
    """
    with asked(c, locals()) as (world, request, _):
        from harness.verbs.compare import compare, show_plan

        print((show_plan if dry_run else compare)(world, request))


@verb({"image": "a build that is there already (default: the checkout, built)"})
def ramp(
    c: Context,
    arm: str = "",
    image: str = "",
    levels: str = "",
    load: str = "",
    cpus: str = "",
    mem: str = "",
    pids: str = "",
    timeout: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
    env: list[str] | None = None,
    resume: str = "",
) -> None:
    """Ramp one build, the checkout as it is or --image, until it breaks, and print its table."""
    with asked(c, locals()) as (world, request, _):
        from harness.verbs.ramp import ramp

        print(ramp(world, request, image or None))


@verb(
    {
        "only": "only the goals whose figure has this in it, as in 'hand' or 'C=8,000'",
        "repeats": "how often each cell is run (default 3)",
    }
)
def goals(
    c: Context,
    only: str = "",
    repeats: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
    resume: str = "",
) -> None:
    """Build the checkout as it is, measure the speed goals, and print their table: a report, not a gate.

    The load is '6 200 50 5' in a box of 2 CPUs and 2g, 600 s a cell, which one that collapses may use up.
    Writes results/STAMP-goals-COMMIT/ with table.md, goals.json, cells.jsonl and logs/. A goal that is missed exits 0.
    """
    with exit_codes():
        from harness.cli.settings import parse_whole

        times = parse_whole(repeats or "3", where="--repeats")
    with asked(c, locals()) as (world, request, _):
        from experiments.speed_goals.run import goals

        print(goals(world, request, only=only, repeats=times))


@verb({"pairs": "pairs at each decision level (default 8, or as [tool.esc-gate] says)"})
def gate(
    c: Context,
    arm: str = "",
    quick: bool = False,
    strict: bool = False,
    no_costs: bool = False,
    pairs: str = "",
    budget: str = "",
    refine: bool = False,
    objective: str = "",
    levels: str = "",
    decision_levels: str = "",
    load: str = "",
    cpus: str = "",
    mem: str = "",
    pids: str = "",
    timeout: str = "",
    base: str = "",
    main: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
    env: list[str] | None = None,
    base_env: list[str] | None = None,
    branch_env: list[str] | None = None,
    base_arm: str = "",
    branch_arm: str = "",
    resume: str = "",
) -> None:
    """Say whether your branch may be merged: exact costs, then paired cells, then a verdict that is the exit code.

    Writes results/STAMP-gate-ARM-BASE-BRANCH/ with table.md, summary.md for the pull request, compare.json, cells.jsonl and logs/.
    Margins are in [tool.esc-gate]. Exit codes: 0 pass, 2 usage, 3 regression, 4 inconclusive (with --strict), 5 invalid, 6 the
    base or 7 the branch cannot run, 10 git, 11 build, 12 no box, 130 interrupted.
    """
    with asked(c, locals()) as (world, request, typed):
        from harness.cli import wiring as assembly
        from harness.verbs.gate import gate as decide

        order = assembly.make_gate_order(
            typed, world.progress, is_quick=quick, is_strict=strict, counts=not no_costs
        )
        gated = decide(world, request, order)
        print(gated.document, end="")
        assembly.publish(gated.summary, world.progress)
        gated.check()


@verb({"pairs": "pairs of each gate (default 8, or as [tool.esc-gate] says)"})
def selftest(
    c: Context,
    arm: str = "sc-mem",
    pairs: str = "",
    no_costs: bool = False,
    load: str = "",
    cpus: str = "",
    mem: str = "",
    pids: str = "",
    timeout: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
    env: list[str] | None = None,
) -> None:
    """Prove the gate on this host: identical builds give its noise, and regressions of known sizes must be caught.

    Takes some ten minutes. The noise is kept for a day under results/floors/, and a margin below it is refused. Exit code 5 when the gate
    does not prove itself.
    """
    with asked(c, locals()) as (world, request, typed):
        from harness.cli import wiring as assembly
        from harness.verbs.selftest import selftest as prove

        order = assembly.make_gate_order(
            typed, world.progress, is_quick=True, is_strict=False, counts=not no_costs
        )
        tested = prove(world, request, order)
        print(tested.document, end="")
        tested.check()


@verb()
def cost(
    c: Context,
    arm: str = "sc-ckpt",
    load: str = "",
    base: str = "",
    main: str = "",
    repo: str = "",
    env: list[str] | None = None,
    base_env: list[str] | None = None,
    branch_env: list[str] | None = None,
    base_arm: str = "",
    branch_arm: str = "",
) -> None:
    """Count what a turn and a session cost on the merge-base and on your branch: instructions, memory, system calls.

    Needs no engine and no quiet host, and takes half a minute. Exit codes: 0 done, 2 usage, 5 invalid, 6 the base or 7 the
    branch has no runtime, 10 git, 130 interrupted.
    """
    with exit_codes():
        from harness.cli import wiring as assembly
        from harness.verbs import cost as cost_run

        typed = typed_words(c, locals())
        request = assembly.make_cost_request(typed)
        with assembly.open_counting(typed.repo) as (counting, checkout, run_id):
            print(cost_run.cost(counting, checkout, run_id, request), end="")


@verb()
def build(
    c: Context,
    base: str = "",
    main: str = "",
    repo: str = "",
    base_image: str = "",
    box: str = "",
    no_wait: bool = False,
) -> None:
    """Build the images of both sides, esc-bench:base and esc-bench:branch, without running them."""
    with asked(c, locals()) as (world, request, _):
        from harness.verbs.housekeeping import build

        print(build(world, request))


@verb({"folder": "a folder of results/"})
def report(c: Context, folder: str) -> None:
    """Print the table of a stored run again, derived anew from its cells."""
    del c
    with exit_codes():
        from pathlib import Path

        from harness.cli import wiring as assembly
        from harness.verbs.housekeeping import show_run

        print(show_run(assembly.open_store(Path.cwd()), folder), end="")


@verb()
def arms(c: Context) -> None:
    """Tell what can be driven, and the toggles that change it."""
    del c
    with exit_codes():
        from harness.report.arms import arms_text

        print(arms_text())


@verb()
def doctor(c: Context, repo: str = "") -> None:
    """Tell what this machine can run, what bears on the numbers, and what to do about it. Exit code 12 where no box works."""
    del c
    with exit_codes():
        from harness.cli import wiring as assembly
        from harness.model.errors import NoBoxError

        text, is_good = assembly.examine_host(repo or None)
        print(text)
        if not is_good:
            raise NoBoxError("no box works here", hint="what each of them needs is said above")


@verb()
def clean(c: Context, repo: str = "") -> None:
    """Remove what killed runs left: worktrees, containers, cells, half-written files, locks, old builds. Running ones are not touched."""
    del c
    with exit_codes():
        from harness.cli import wiring as assembly
        from harness.verbs.housekeeping import clean

        with assembly.open_leftovers(repo or None) as left:
            print(clean(*left))


@task(name="base-image")
def base_image(c: Context) -> None:
    """Make the base image from Debian's packages, as root, on a machine that can pull from no registry."""
    del c
    with exit_codes():
        from harness.adapters.docker.base_image import make_base_image

        print(make_base_image(lambda text: print(text, file=sys.stderr, flush=True)))


ns = Collection(
    *(compare, gate, selftest, cost, ramp, goals, build, report, arms, doctor, clean, base_image)
)
ns.configure(dict.fromkeys(SETTINGS))
