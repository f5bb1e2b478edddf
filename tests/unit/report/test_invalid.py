"""The section of invalid cells."""

from harness.analysis.comparison import compare
from harness.model.cells import Cell, Slot
from harness.model.nouns import Outcome, Phase, Side
from harness.report.cells import invalid_cells
from tests.builders.model import cell_at, make_cell, make_run, ok_cell

SECTION = """\
### Invalid cells

|     C | side           |   attempt | reason               | follow-up                      |
|------:|:---------------|----------:|:---------------------|:-------------------------------|
|   500 | base           |         1 | the host was busy    | retried: ok                    |
| 1,000 | branch         |         1 | a\\|b                 | retried: invalid again         |
| 1,000 | branch         |         2 | the host was busy    | branch is not measured further |
| 1,000 | base, decision |         1 | the engine fell over | not retried                    |

Invalid cells are excluded from every figure above. Each is retried once; after two invalid attempts that side is not measured further."""


def _invalid(side: Side, level: int, reason: str, *, attempt: int = 0) -> Cell:
    return make_cell(side, level, Outcome.INVALID, reason=reason, attempt=attempt)


def test_document_lists_invalid_cells_and_their_retries() -> None:
    """Each cell has a row, in order, with the outcome of its retry."""
    cells = [
        _invalid(Side.BASE, 500, "the host was busy"),
        make_cell(Side.BASE, 500, attempt=1),
        ok_cell(Side.BRANCH, 500),
        _invalid(Side.BRANCH, 1000, "a|b"),
        _invalid(Side.BRANCH, 1000, "the host was busy", attempt=1),
        cell_at(
            Slot(side=Side.BASE, level=1000, block=0, pair=0, phase=Phase.DECISION),
            Outcome.INVALID,
            reason="the engine fell over",
        ),
    ]
    shown = invalid_cells(compare(make_run(), cells, complete=True))
    assert shown == SECTION


def test_document_without_invalid_cells_has_no_such_section() -> None:
    """The section is empty."""
    assert invalid_cells(compare(make_run(), [ok_cell(Side.BASE, 500)], complete=True)) == ""
