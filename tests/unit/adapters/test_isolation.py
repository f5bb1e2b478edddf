"""The confinement of processes, as this host allows it."""

from pathlib import Path

import pytest

from harness.adapters.host.isolation import Confinement, find_confinement


def test_confinement_is_the_first_that_works(tmp_path: Path) -> None:
    """A confinement in which this interpreter does not run is skipped."""
    no_such = Confinement(words=("/no/such/program",), uid=None, how="by nothing")
    failing = Confinement(words=("false",), uid=None, how="by nothing")
    other = Confinement(words=("echo",), uid=None, how="by another interpreter")
    works = Confinement(words=("env", "--"), uid=None, how="by env")
    found = find_confinement(tmp_path, (no_such, failing, other, works))
    assert found.how == "by env"
    assert tuple(found.words[:2]) == ("env", "--")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("/no/such/program",), "unconfined: /no/such/program cannot be run: "),
        (("false",), "unconfined: false ended with exit code 1"),
        (("sh", "-c", "echo not allowed >&2; exit 1"), "unconfined: not allowed"),
        (("echo",), "unconfined: another interpreter runs there: "),
    ],
)
def test_missing_confinement_has_a_reason(
    tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    """Processes still run, and the report shows the reason."""
    found = find_confinement(tmp_path, (Confinement(words=words, uid=None, how="somehow"),))
    assert found.how.startswith(why)
    assert found.uid is None
    assert not found.has_no_network
