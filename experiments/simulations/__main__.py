"""Print the coverage of intervals and the false alarms of two orders of cells."""

import argparse
import sys
from collections.abc import Iterator

from tabulate import tabulate

from experiments.simulations.coverage import rank_coverage, t_coverage
from experiments.simulations.drifts import (
    DRIFTS,
    Alarms,
    false_alarms,
    one_after_the_other,
    planned_order,
)
from experiments.simulations.pairs import NOISES


def main() -> None:
    """Print both tables; `--runs 20000` is precise."""
    parser = argparse.ArgumentParser(prog="python -m experiments.simulations", description=__doc__)
    parser.add_argument("--runs", type=int, default=2_000, help="runs per figure")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    names = [noise.name for noise in NOISES]
    coverage = ["pairs", *(f"t, {name}" for name in names), *(f"ranks, {name}" for name in names)]
    _show(
        "Coverage of the 95 % intervals, of the mean ratio (t) and of the typical one (ranks)",
        coverage,
        _coverages(options.runs, options.seed),
    )
    alarms = ["drift", "ABBA: differs", "regressed", "base, then branch: differs", "regressed"]
    _show(
        "False alarms in runs of one build against itself, 8 pairs, 3 % noise a cell, tests at 5 %",
        alarms,
        _false_alarms(options.runs, options.seed),
    )


def _coverages(runs: int, seed: int) -> Iterator[list[str]]:
    for n in range(4, 21):
        by_t = [f"{t_coverage(noise, n, runs=runs, seed=seed):.3f}" for noise in NOISES]
        by_rank = [
            f"{rank_coverage(noise, n, runs=runs, seed=seed):.3f}" if n >= 6 else "–"
            for noise in NOISES
        ]
        yield [str(n), *by_t, *by_rank]


def _false_alarms(runs: int, seed: int) -> Iterator[list[str]]:
    for name, drift in DRIFTS.items():
        orders = (planned_order(), one_after_the_other())
        found = [false_alarms(order, drift, runs=runs, seed=seed) for order in orders]
        yield [name, *(share for alarms in found for share in _shares(alarms))]


def _shares(alarms: Alarms) -> list[str]:
    return [f"{alarms.differs:.1%}", f"{alarms.regressed:.1%}"]


def _show(title: str, headers: list[str], rows: Iterator[list[str]]) -> None:
    table = tabulate(rows, headers=headers, tablefmt="pipe", disable_numparse=True)
    sys.stdout.write(f"{title}\n\n{table}\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
