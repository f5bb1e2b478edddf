"""Compare machine and oracle: `python -m experiments.oracle --charts 5000`."""

import argparse
import sys
from random import Random

from experiments.oracle.examine import examine
from experiments.oracle.generator import make_sketch


def main() -> None:
    """Print what was compared; a difference without a reason ends in a traceback."""
    parser = argparse.ArgumentParser(prog="python -m experiments.oracle", description=__doc__)
    parser.add_argument("--charts", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    random = Random(options.seed)  # noqa: S311  chance, not secrets
    tally = examine(make_sketch(random) for _ in range(options.charts))
    sys.stdout.write(f"{tally}\n")


if __name__ == "__main__":
    main()
