"""The document of exact costs: its sentence and its tables."""

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


def test_words_name_every_changed_cost() -> None:
    """One line holds the changes, and a remark about the rest."""
    assert in_words(_costs(EXACT, CALLS, NEW)) == (
        "system-calls/turn +1.5 (+12.5 %); new/turn +2; no other gated cost changed."
    )


def test_words_of_changes_only_name_no_rest() -> None:
    """The line ends differently if all gated costs changed."""
    assert in_words(_costs(CALLS)) == (
        "system-calls/turn +1.5 (+12.5 %); every gated cost changed."
    )


def test_words_without_a_change_list_the_gated_costs() -> None:
    """Costs that are not gated are not listed."""
    assert in_words(_costs(EXACT, SHAKY)) == "No gated cost changed: instructions/turn."


def test_words_without_gated_costs_refer_to_the_missing_counters() -> None:
    """A side that was not counted is not a change."""
    assert in_words(_costs(ALONE, OTHERS)) == (
        "Nothing could be compared: see the missing counters below."
    )


SECTIONS = """\
| cost                     |    base |   branch |         difference | run-to-run variation   |
|:-------------------------|--------:|---------:|-------------------:|:-----------------------|
| instructions/turn        | 595,134 |  595,134 |                  0 | ±0.0003 %              |
| **system-calls/turn**    |      12 |     13.5 |     +1.5 (+12.5 %) | none                   |
| other-calls/turn         |     0.5 |     0.25 |    -0.25 (-50.0 %) | ±50 %                  |
| allocated-blocks/session |      60 |   60.001 | +0.001 (+0.0017 %) | **±0.2 %: not gated**  |
| traced-bytes/session     |       – |    7,537 |                  – | counted once           |

System calls that differ:

- `stat`: 0 → 1 a turn (+1)
- `write`: 2 → 2.5 a turn (+0.5)

- **Missing**: the base cannot be counted: it needs threads
- Counted twice in 21 s, without a network; CPython 3.11.7; strace at C=20 and 40
- other-calls/turn is shown but not gated: in steps"""


def test_sections_show_all_counted_costs() -> None:
    """Costs that are not gated are shown with the reason."""
    assert "\n\n".join(cost_sections(_costs(EXACT, CALLS, OTHERS, SHAKY, ALONE))) == SECTIONS


def test_sections_without_costs_have_no_table() -> None:
    """The notes remain."""
    (notes,) = cost_sections(_costs())
    assert notes.startswith("- **Missing**: the base")


def test_difference_of_thousands_is_whole() -> None:
    """From 1,000 on, a difference has no decimals."""
    dear = structs.replace(EXACT, branch=613500.9)
    assert in_words(_costs(dear)).startswith("instructions/turn +18,366 (+3.1 %);")
