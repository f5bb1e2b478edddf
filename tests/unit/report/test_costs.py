"""Exact costs in words and as a table."""

from msgspec import structs

from harness.model.costs import ExactCost, ExactCosts
from harness.model.nouns import Arm, Load
from harness.report.costs import cost_sections, in_words

EXACT = ExactCost(
    name="instructions/turn", base=595134.5, branch=595134.5, spread=3e-6, reproducible=True
)
CALLS = ExactCost(
    name="system-calls/turn",
    base=12.0,
    branch=13.5,
    spread=0.0,
    reproducible=True,
    detail={"stat": (0.0, 1.0), "write": (2.0, 2.5), "read": (1.0, 1.0)},
)
NEW = ExactCost(name="new/turn", base=0.0, branch=2.0, spread=0.0, reproducible=True)
OTHERS = ExactCost(
    name="other-calls/turn",
    base=0.5,
    branch=0.25,
    spread=0.5,
    reproducible=False,
    detail={"brk": (0.5, 0.25)},
    advisory="in steps",
)
SHAKY = ExactCost(
    name="allocated-blocks/session", base=60.0, branch=60.001, spread=0.002, reproducible=False
)
ALONE = ExactCost(
    name="traced-bytes/session", base=None, branch=7537.0, spread=None, reproducible=False
)


def _costs(*costs: ExactCost) -> ExactCosts:
    return ExactCosts(
        arm=Arm.SC_CKPT,
        load=Load(),
        costs=costs,
        levels={"strace": (20, 40)},
        missing=("the base cannot be counted: it needs threads",),
        confinement="without a network",
        python="CPython 3.11.7",
        wall_s=21.4,
    )


def test_words_name_every_change_and_the_rest() -> None:
    """One line that can be acted on."""
    assert in_words(_costs(EXACT, CALLS, NEW)) == (
        "system-calls/turn +1.5 (+12.5 %); new/turn +2; nothing else changed."
    )


def test_words_say_when_all_has_changed() -> None:
    """Nothing is left to be the same."""
    assert in_words(_costs(CALLS)) == "system-calls/turn +1.5 (+12.5 %); so all of them changed."


def test_words_say_what_has_not_changed() -> None:
    """No change is an answer too."""
    assert in_words(_costs(EXACT, SHAKY)) == "Nothing changed: instructions/turn."


def test_words_say_when_there_is_nothing_to_compare() -> None:
    """A side that was not counted is no change."""
    assert in_words(_costs(ALONE, OTHERS)) == "Nothing could be compared: see what is missing."


SECTIONS = """\
| cost                     |    base |   branch |         difference | repeats to              |
|:-------------------------|--------:|---------:|-------------------:|:------------------------|
| instructions/turn        | 595,134 |  595,134 |                  0 | 1 in 333,333            |
| **system-calls/turn**    |      12 |     13.5 |     +1.5 (+12.5 %) | the last digit          |
| other-calls/turn         |     0.5 |     0.25 |    -0.25 (-50.0 %) | 1 in 2                  |
| allocated-blocks/session |      60 |   60.001 | +0.001 (+0.0017 %) | **1 in 500: not gated** |
| traced-bytes/session     |       – |    7,537 |                  – | counted once            |

System calls that differ:

- `stat`: 0 → 1 a turn (+1)
- `write`: 2 → 2.5 a turn (+0.5)

- **Missing**: the base cannot be counted: it needs threads
- Counted twice in 21 s, without a network; CPython 3.11.7; strace at C=20 and 40
- other-calls/turn is shown and not gated: in steps"""


def test_sections_show_all_that_was_counted() -> None:
    """What is not gated is shown, and why it is not."""
    assert "\n\n".join(cost_sections(_costs(EXACT, CALLS, OTHERS, SHAKY, ALONE))) == SECTIONS


def test_sections_without_costs_say_what_is_missing() -> None:
    """An empty table is none."""
    (said,) = cost_sections(_costs())
    assert said.startswith("- **Missing**: the base")


def test_difference_of_thousands_is_whole() -> None:
    """Nobody reads a fraction of an instruction."""
    dear = structs.replace(EXACT, branch=613500.9)
    assert in_words(_costs(dear)).startswith("instructions/turn +18,366 (+3.1 %);")
