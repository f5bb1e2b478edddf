"""A build that is made worse by what is injected into it, as the real probe is."""

import itertools
from collections.abc import Callable

from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Side
from harness.outcome.observation import Observation
from harness.verbs.ports import CellSpec
from tests.builders.gated import counted
from tests.builders.model import make_observation, make_result
from tests.fakes.fake_box import Behaviour

_WAVER = (1.01, 0.99, 1.0, 1.02, 0.98, 1.0, 1.01)  # 7 of them, so that no side always has the same
_WORK_MS = 0.00003


def made_worse_by_injection(
    *, deaf_to: str = "", base_ms: float = 0.1, shift: int = 0
) -> Behaviour:
    """Make a build whose cells cost more by what is injected.

    Args:
        deaf_to: A toggle that it does not heed.
        base_ms: CPU of a turn without any.
        shift: Where in its wavering it begins, 0 to 6.
    """
    waver = itertools.cycle(_WAVER[shift:] + _WAVER[:shift])

    def behave(_image: str, spec: CellSpec) -> Observation:
        def injected(name: str) -> int:
            toggle = f"SCALE_INJECT_{name}"
            return 0 if toggle == deaf_to else int(spec.environment.get(toggle, "0"))

        failing = spec.level // injected("FAILING") if injected("FAILING") else 0
        rss_kb = 20480.0 + spec.level * (14 + injected("BYTES") / 1024)
        result = make_result(
            spec.level,
            arm=spec.arm,
            ok=spec.level - failing,
            errors=failing,
            cpu_ms_per_turn=(base_ms + injected("WORK") * _WORK_MS) * next(waver),
            peak_threads=1 + spec.level * injected("THREADS"),
            peak_rss_mb=rss_kb / 1024,
            base_rss_mb=20.0,
            rss_kb_per_session=rss_kb / spec.level,
            latency_infl=1.02,
        )
        return make_observation(result)

    return behave


def count_with(instructions: Callable[[Side], float]) -> Callable[..., ExactCosts]:
    """Return a counter that gives fixed instructions by side."""

    def count(_trees: object, _drives: object, _load: object) -> ExactCosts:
        base, branch = instructions(Side.BASE), instructions(Side.BRANCH)
        cost = ExactCost(
            name="instructions/turn", base=base, branch=branch, spread=0.0, reproducible=True
        )
        return counted(cost)

    return count
