"""The job summary of GitHub Actions, and how a gate is told what to decide by."""

from pathlib import Path

import pytest

from harness.adapters.console.lines import append_summary
from harness.cli.flags import Typed
from harness.cli.settings import parse_margin
from harness.cli.wiring import make_gate_order, publish
from harness.model.errors import UsageError
from tests.builders.checkout import Checkout
from tests.fakes.fake_progress import FakeProgress


def test_summary_is_appended_to_what_other_steps_wrote(tmp_path: Path) -> None:
    """A job has one summary for all of its steps."""
    file = tmp_path / "summary.md"
    file.write_text("## Tests\n")
    told = append_summary({"GITHUB_STEP_SUMMARY": str(file)}, "## Gate\n")
    assert file.read_text() == "## Tests\n\n## Gate\n"
    assert told == f"the summary is appended to {file}"


def test_summary_outside_of_a_job_is_nothing(tmp_path: Path) -> None:
    """On a person's own machine there is no such file, and nothing to tell."""
    assert append_summary({}, "## Gate\n") == ""
    assert append_summary({"GITHUB_STEP_SUMMARY": ""}, "## Gate\n") == ""
    assert list(tmp_path.iterdir()) == []


def test_summary_that_cannot_be_written_takes_no_verdict_with_it(tmp_path: Path) -> None:
    """The verdict is known by then: what went wrong with the summary is told, and no more."""
    told = append_summary({"GITHUB_STEP_SUMMARY": str(tmp_path)}, "## Gate\n")
    assert told == f"the job summary {tmp_path} cannot be written: Is a directory"


def test_publish_tells_of_the_summary_only_in_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs the gate by hand reads nothing about summaries."""
    progress = FakeProgress()
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    publish("## Gate\n", progress)
    assert progress.lines == []
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    publish("## Gate\n", progress)
    assert progress.lines == [f"the summary is appended to {tmp_path / 'summary.md'}"]


def test_gate_is_told_by_the_checkout_what_it_decides_by(tmp_path: Path) -> None:
    """Margins come from the pyproject.toml of the repository that is gated; `--pairs` wins over it."""
    checkout = Checkout.make(tmp_path / "checkout")
    table = (
        '[tool.esc-bench.gate]\npairs = 4\n[tool.esc-bench.gate.margins]\nlatency-infl = "7 %"\n'
    )
    checkout.write("pyproject.toml", table)
    typed = Typed(repo=str(checkout.root))
    order = make_gate_order(typed, FakeProgress(), is_quick=True, is_strict=True, counts=True)
    assert (order.settings.pairs, order.is_quick, order.is_strict) == (4, True, True)
    assert order.settings.margins["latency-infl"] == parse_margin("7 %", where="here")
    assert order.count is not None
    typed = Typed(repo=str(checkout.root), flags={"pairs": "6"})
    order = make_gate_order(typed, FakeProgress(), is_quick=False, is_strict=False, counts=False)
    assert (order.settings.pairs, order.count) == (6, None)


def test_gate_refuses_a_margin_that_is_none(tmp_path: Path) -> None:
    """A margin that cannot be read is told with its place, before anything is built."""
    checkout = Checkout.make(tmp_path / "checkout")
    checkout.write("pyproject.toml", '[tool.esc-bench.gate.margins]\nlatency-infl = "some"\n')
    typed = Typed(repo=str(checkout.root))
    with pytest.raises(UsageError, match=r"margins. latency-infl: 'some' is not a margin"):
        make_gate_order(typed, FakeProgress(), is_quick=True, is_strict=False, counts=False)
