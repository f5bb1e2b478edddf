"""The ramp with positional arguments: ``python -m harness ramp IMAGE ARM C1 C2 …``."""

import os
import sys
from collections.abc import Sequence

from harness.cli.flags import Flags
from harness.cli.wiring import open_session
from harness.model.errors import HarnessError, UsageError
from harness.verbs.ramp import ramp

USAGE = "usage: python -m harness ramp IMAGE ARM TURNS TTFT_MS TOKENS TOK_MS C1 [C2 …]"
_HELP = f"""{USAGE}

Runs one ARM (sc-ckpt, sc-mem, hand) of IMAGE at each concurrency C in a fresh container, stops at the first that
fails, prints a line a level and the knee, and writes the results.
CPUS=, MEM=, PIDS= and TIMEOUT= in the environment set the caps (default 2 CPUs, 2g, no pids limit, 600 s).
example: python -m harness ramp esc-bench:branch sc-mem 6 200 50 5 500 1000 2000 4000 8000"""


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return its exit code."""
    if set(arguments) & {"-h", "--help"}:
        print(_HELP)
        return 0
    try:
        table = _ramp(arguments)
    except HarnessError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print(f"\n{table}", end="")
    return 0


def _ramp(arguments: Sequence[str]) -> str:
    if len(arguments) < 8 or arguments[0] != "ramp":
        raise UsageError(
            USAGE, hint="for example: ramp esc-bench:branch sc-mem 6 200 50 5 500 1000"
        )
    _, image, arm, *rest = arguments
    typed = {"arm": arm, "load": " ".join(rest[:4]), "levels": ",".join(rest[4:])}
    flags = Flags(typed=typed, environ=os.environ)
    with open_session(flags, stream=sys.stdout) as (world, request):
        return ramp(world, request, image)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
