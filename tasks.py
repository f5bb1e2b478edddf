"""What the bench does for people: `invoke --list` names the verbs, `invoke --help VERB` tells how to use one."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

_CAPS = {
    "cpus": "CPUs of the box (or CPUS=; default 2)",
    "mem": "memory of the box, no swap (or MEM=; default 2g)",
    "pids": "most processes and threads in the box (or PIDS=; default: the host's limit)",
    "timeout": "time limit of a cell: 600, 90s, 10m (or TIMEOUT=; default 600 s)",
}
_LOAD = {
    "arm": "what is driven: sc-ckpt, sc-mem or hand (see `invoke arms`)",
    "levels": "ascending concurrencies, as in 500,1000,1500 or, doubling, 500..64000 (default 500..8000)",
    "load": "'TURNS TTFT_MS TOKENS TOK_MS [QSLEEP_MS [STATE_KB]]' (default '6 200 50 5')",
    "env": "NAME=VALUE for the cells, as in SCALE_VT=0; may be given again",
}
_WHERE = {
    "repo": "a folder of the checkout (default: this one)",
    "base-image": "what the Dockerfile builds on (or BASE_IMAGE=; default: the image of"
    " `invoke base-image` if there is one, else python:3.13-slim)",
}
_REFS = {
    "base": "the commit to compare with (default: the merge-base with the default branch)",
    "main": "the default branch (default: main, origin/main or origin/HEAD, the first there is)",
}
_SIDES = {
    "base-arm": "what the base drives, where it is not --arm: the floor against the runtime, say",
    "branch-arm": "what the branch drives, where it is not --arm",
    "base-env": "NAME=VALUE for the cells of the base alone; may be given again",
    "branch-env": "NAME=VALUE for the cells of the branch alone; may be given again",
    "blocks": "ABBA blocks a level, two pairs each (default 1: a screen; 0: one pair a level)",
    "warm-up": "--no-warm-up leaves out the first cell of each side, which is thrown away",
    "refine": "narrow the bracket in which each side breaks to within 10 %",
    "objective": "how much latency inflation a level within capacity may have (default 2)",
    "pairs": "pairs at each of two levels that the ladder shows, its own included (default 0: none)",
    "decision-levels": "have those pairs at these levels instead, as in 500,2000",
    "budget": "spend what is left of 20m, say, on pairs where they show most a second",
    "dry-run": "show refs, hashes, images and cells in order; build and run nothing",
}


_SETTINGS = (
    *("cpus", "mem", "pids", "timeout", "levels", "load", "blocks", "warm_up", "refine"),
    *("objective", "pairs", "decision_levels", "budget", "base_image"),
)


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn what goes wrong into one clear line and its exit code."""
    from harness.errors import HarnessError

    try:
        yield
    except HarnessError as error:
        raise Exit(str(error), code=error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        raise Exit("interrupted", code=130) from interrupt
    except Exception as error:
        traceback.print_exc()
        raise Exit(f"internal error, please report it: {error!r}", code=70) from error


@task(
    auto_shortflags=False,
    help=_LOAD | _CAPS | _WHERE | _REFS | _SIDES,
    iterable=["env", "base_env", "branch_env"],
)
def compare(
    c: Context,
    arm: str = "sc-mem",
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
    env: list[str] | None = None,
    base_env: list[str] | None = None,
    branch_env: list[str] | None = None,
    base_arm: str = "",
    branch_arm: str = "",
    dry_run: bool = False,
) -> None:
    """Build the merge-base and your branch, ramp both side by side, and print the table for the pull request.

    Writes results/STAMP-ARM-BASE-BRANCH/ (both arms, where there are two) with table.md, compare.json, cells.jsonl and logs/.
    Exit codes: 0 done, 2 usage, 5 invalid, 6 the base or 7 the branch cannot run, 10 git, 11 build, 12 no engine, 130
    interrupted.
    """
    with _exit_codes():
        from harness import assembly, bench

        flags = {"levels": levels, "load": load, "cpus": cpus, "mem": mem, "pids": pids}
        flags |= {"timeout": timeout, "blocks": blocks, "base_image": base_image}
        flags |= {"warm_up": "" if warm_up else "no", "refine": "yes" if refine else ""}
        flags |= {"objective": objective, "pairs": pairs, "budget": budget}
        flags |= {"decision_levels": decision_levels}
        typed = assembly.Typed(
            arm=arm,
            base_arm=base_arm or None,
            branch_arm=branch_arm or None,
            flags=flags,
            env=env or (),
            base_env=base_env or (),
            branch_env=branch_env or (),
            base=base or None,
            main=main or None,
            repo=repo or None,
            invoke=_invoke_settings(c),
        )
        request = assembly.make_request(typed)
        with assembly.open_world(typed.repo) as world:
            print((bench.show_plan if dry_run else bench.compare)(world, request))


@task(
    auto_shortflags=False,
    help=_LOAD
    | _CAPS
    | _WHERE
    | {"image": "a build that is there already (default: the checkout, built)"},
    iterable=["env"],
)
def ramp(
    c: Context,
    arm: str = "sc-mem",
    image: str = "",
    levels: str = "",
    load: str = "",
    cpus: str = "",
    mem: str = "",
    pids: str = "",
    timeout: str = "",
    repo: str = "",
    base_image: str = "",
    env: list[str] | None = None,
) -> None:
    """Ramp one build, the checkout as it is or --image, until it breaks, and print its table."""
    with _exit_codes():
        from harness import assembly, bench

        flags = {"levels": levels, "load": load, "cpus": cpus, "mem": mem, "pids": pids}
        flags |= {"timeout": timeout, "base_image": base_image}
        typed = assembly.Typed(
            arm=arm, flags=flags, env=env or (), repo=repo or None, invoke=_invoke_settings(c)
        )
        request = assembly.make_request(typed)
        with assembly.open_world(typed.repo) as world:
            print(bench.ramp(world, request, image or None))


@task(
    auto_shortflags=False,
    help=_WHERE
    | {
        "only": "only the goals whose figure has this in it, as in 'hand' or 'C=8,000'",
        "repeats": "how often each cell is run (default 3)",
    },
)
def goals(
    c: Context, only: str = "", repeats: str = "3", repo: str = "", base_image: str = ""
) -> None:
    """Build the checkout as it is, measure the speed goals, and print their table: a report, not a gate.

    The load is '6 200 50 5' in a box of 2 CPUs and 2g, 600 s a cell, which one that collapses may use up.
    Writes results/STAMP-goals-COMMIT/ with table.md, goals.json, cells.jsonl and logs/. A goal that is missed exits 0.
    """
    with _exit_codes():
        from harness import assembly, bench
        from harness.units import parse_whole

        flags = {"base_image": base_image}
        typed = assembly.Typed(flags=flags, repo=repo or None, invoke=_invoke_settings(c))
        request, times = assembly.make_request(typed), parse_whole(repeats, where="--repeats")
        with assembly.open_world(typed.repo) as world:
            print(bench.goals(world, request, only=only, repeats=times))


@task(
    auto_shortflags=False,
    help={name: _LOAD[name] for name in ("arm", "load", "env")}
    | {name: _SIDES[name] for name in ("base-arm", "branch-arm", "base-env", "branch-env")}
    | {"repo": _WHERE["repo"]}
    | _REFS,
    iterable=["env", "base_env", "branch_env"],
)
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
    with _exit_codes():
        from harness import assembly, cost_run

        typed = assembly.Typed(
            arm=arm,
            base_arm=base_arm or None,
            branch_arm=branch_arm or None,
            flags={"load": load},
            env=env or (),
            base_env=base_env or (),
            branch_env=branch_env or (),
            base=base or None,
            main=main or None,
            repo=repo or None,
            invoke=_invoke_settings(c),
        )
        request = assembly.make_cost_request(typed)
        with assembly.open_counting(typed.repo) as (counting, checkout, run_id):
            print(cost_run.cost(counting, checkout, run_id, request), end="")


@task(auto_shortflags=False, help=_WHERE | _REFS)
def build(
    c: Context, base: str = "", main: str = "", repo: str = "", base_image: str = ""
) -> None:
    """Build the images of both sides, esc-bench:base and esc-bench:branch, without running them."""
    with _exit_codes():
        from harness import assembly, bench

        typed = assembly.Typed(
            flags={"base_image": base_image},
            base=base or None,
            main=main or None,
            repo=repo or None,
            invoke=_invoke_settings(c),
        )
        request = assembly.make_request(typed)
        with assembly.open_world(typed.repo) as world:
            print(bench.build(world, request))


@task(auto_shortflags=False, help={"folder": "a folder of results/"})
def report(c: Context, folder: str) -> None:
    """Print the table of a stored run again, derived anew from its cells."""
    del c
    with _exit_codes():
        from pathlib import Path

        from harness import assembly, bench

        print(bench.show_run(assembly.open_store(Path.cwd()), folder), end="")


@task
def arms(c: Context) -> None:
    """Tell what can be driven, and the toggles that change it."""
    del c
    from harness.report import arms_text

    print(arms_text())


@task(auto_shortflags=False, help={"repo": _WHERE["repo"]})
def clean(c: Context, repo: str = "") -> None:
    """Remove what killed runs left: worktrees, containers, old images. Running ones are not touched."""
    del c
    with _exit_codes():
        from harness import assembly, bench

        with assembly.open_world(repo or None) as world:
            print(bench.clean(world))


@task(name="base-image")
def base_image(c: Context) -> None:
    """Make the base image from Debian's packages, as root, on a machine that can pull from no registry."""
    del c
    with _exit_codes():
        from harness.adapters.debootstrap_image import make_base_image

        print(make_base_image(lambda text: print(text, file=sys.stderr, flush=True)))


def _invoke_settings(c: Context) -> dict[str, object]:
    """Return what INVOKE_* and Invoke's configuration files set."""
    return {name: c.config[name] for name in _SETTINGS}


ns = Collection(compare, cost, ramp, goals, build, report, arms, clean, base_image)
ns.configure(dict.fromkeys(_SETTINGS))
