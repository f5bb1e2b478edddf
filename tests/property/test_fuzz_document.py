"""Documents of hostile cells: they are always made, and are inert."""

import re

from hypothesis import example, given, strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import structs

from harness.analysis.comparison import Comparison, compare
from harness.model.cells import Cell, Slot
from harness.model.nouns import Phase, Side
from harness.model.runs import RunInfo
from harness.model.text import printable
from harness.outcome.observation import evidence_of, sessions_done
from harness.outcome.protocol import ProbeOutput
from harness.outcome.rules import decide
from harness.report.derived import index_text, report_of
from harness.report.document import render, render_summary
from harness.report.lines import cell_line, knee_line
from harness.report.markdown import code, escape
from harness.report.tables import levels_table
from tests.builders.model import (
    CAPS,
    cell_at,
    make_box_info,
    make_observation,
    make_run,
    make_side,
)
from tests.property.hostile import HOSTILE, OUTPUTS, WHOLE, effort, is_one_line

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OWN_HTML = {
    "<details><summary>How it was measured, and the details</summary>",
    "</details>",
}
WORDS = {"text", "softbreak", "code_inline", "strong_open", "strong_close", "em_open", "em_close"}
REFERENCE = re.compile(r"(?<![\w`])@\w|(?<![\w&`])#\d|(?i:https?://|ftp://|www\.)|(?i:\bGH-\d)")

SLOTS = st.builds(
    Slot,
    side=st.sampled_from(Side),
    level=st.sampled_from([1, 500, 1000]),
    block=st.integers(0, 1),
    pair=st.sampled_from([None, 0, 1]),
    attempt=st.integers(0, 1),
    phase=st.sampled_from([Phase.LADDER, Phase.LADDER, *Phase]),
)


def _make_cell(slot: Slot, output: ProbeOutput, *, fits: bool, said: str, timed_out: bool) -> Cell:
    """Make the cell of an output; if it `fits`, the RESULT matches the slot."""
    result = output.result
    if result is not None and fits:
        ended = {"c": slot.level, "ok": slot.level, "errors": 0}
        result = structs.replace(result, **ended)
        output = ProbeOutput(result=result, progress=output.progress)
    seen = make_observation(output=output, stderr=(said,), timed_out=timed_out)
    outcome, reason = decide(seen, CAPS, slot.level, attempt=slot.attempt)
    known = result or (output.progress[-1] if output.progress else None)
    return cell_at(
        slot,
        outcome,
        reason=reason,
        result=result,
        evidence=evidence_of(seen),
        sessions_done=sessions_done(seen),
        peak_threads=known.peak_threads if known else None,
        peak_rss_mb=known.peak_rss_mb if known else None,
        peak_fds=known.peak_fds if known else None,
    )


CELLS = st.builds(
    _make_cell,
    SLOTS,
    OUTPUTS,
    fits=st.booleans(),
    said=WHOLE,
    timed_out=st.booleans(),
)
SIDES = st.builds(
    make_side,
    st.just(Side.BASE),
    title=WHOLE,
    commit=st.none() | WHOLE,
    dirty=st.none() | WHOLE,
    subject=st.none() | WHOLE,
    image=WHOLE,
    environment=st.dictionaries(WHOLE, WHOLE, max_size=2),
)
RUNS = st.builds(
    make_run,
    sides=st.sampled_from([tuple(Side), (Side.BRANCH,)]),
    box=st.builds(
        make_box_info,
        engine=WHOLE,
        host=WHOLE,
        base_image=WHOLE,
        warnings=st.lists(WHOLE, max_size=2).map(tuple),
        holds=st.lists(st.sampled_from(["cpus", "memory"])).map(tuple),
    ),
    how=WHOLE,
    started_at=WHOLE,
)


def _with_sides(run: RunInfo, base: object, branch: object) -> RunInfo:
    """Replace the sides of a run."""
    pool = {Side.BASE: base, Side.BRANCH: branch}
    named = [structs.replace(pool[info.side], side=info.side) for info in run.sides]  # type: ignore[type-var]
    return structs.replace(run, sides=tuple(named))


COMPARISONS: st.SearchStrategy[Comparison] = st.builds(
    lambda run, cells, complete: compare(run, cells, complete=complete),
    st.builds(_with_sides, RUNS, SIDES, SIDES),
    st.lists(CELLS, max_size=10),
    st.booleans(),
)


def _inline(tokens: list[Token]) -> list[Token]:
    return [child for token in tokens for child in token.children or []]


def _see_that_it_is_inert(text: str) -> None:
    """Parse a document, and check that all markup is its own."""
    for line in text.splitlines():
        assert is_one_line(line), line
    assert "\r" not in text
    tokens = MARKDOWN.parse(text)
    for token in tokens:
        if token.type == "html_block":
            assert set(token.content.strip().split("\n")) <= OWN_HTML, token.content
        assert token.type not in {"fence", "code_block", "hr", "blockquote_open"}, token.content
    for token in _inline(tokens):
        assert token.type in WORDS, (token.type, token.content)
        if token.type == "text":
            assert not REFERENCE.search(token.content), token.content


def _see_that_tables_keep_their_columns(text: str) -> None:
    """Check that all rows of a table have the same number of columns."""
    columns = 0
    for line in text.splitlines():
        count = len(re.sub(r"\\.", "", line).split("|"))
        if not line.startswith("|"):
            columns = 0
        else:
            columns = columns or count
            assert count == columns, line


@effort(60, 30_000)
@given(before=st.sampled_from(["", "x ", "1"]), text=HOSTILE)
@example(before="", text="@a#1")
@example(before="", text="`@a`")
@example(before="", text="\\@a\\`#1")
def test_escaped_text_is_only_text(before: str, text: str) -> None:
    """A renderer shows any text as words: in a paragraph, an item and a table."""
    shown = escape(before + text)
    assert is_one_line(shown)
    _see_that_it_is_inert(
        f"{shown}\n\n- {shown}\n- {shown}\n\n| a | b |\n|---|---|\n| {shown} | {shown} |\n"
    )
    _see_that_tables_keep_their_columns(f"| a | b |\n| {shown} | {shown} |")
    said = "".join(token.content for token in _inline(MARKDOWN.parse(shown)))
    assert said == printable(before + text).strip()


@effort(30, 10_000)
@given(text=HOSTILE)
def test_code_is_only_code(text: str) -> None:
    """A name stays within its code span."""
    tokens = _inline(MARKDOWN.parse(f"- {code(text)}: 1\n"))
    assert [token.type for token in tokens] == ["code_inline", "text"]


@effort(12, 1500)
@given(said=COMPARISONS)
def test_documents_of_hostile_cells_are_inert(said: Comparison) -> None:
    """Documents of any cells keep their columns, and hold only their own markup."""
    documents = [render(said), render_summary(said), index_text([("run", report_of(said))])]
    for text in documents[:2]:
        _see_that_it_is_inert(text)
    for text in (*documents, levels_table(said)):
        _see_that_tables_keep_their_columns(text)


@effort(12, 1500)
@given(said=COMPARISONS)
def test_lines_of_hostile_cells_are_single_lines(said: Comparison) -> None:
    """Progress messages of any cell are single lines."""
    told = [cell_line(cell) for cell in (*said.cells, *said.invalid)]
    told += [knee_line(said.name_of(side), knee) for side, knee in said.knees.items()]
    assert all(is_one_line(line) for line in told)
