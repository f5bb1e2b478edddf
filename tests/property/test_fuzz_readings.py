"""Torn and forged output of tools and launchers: it is read, or is None."""

import json
from pathlib import Path

from hypothesis import example, given, strategies as st

from harness.adapters.counters.readings import (
    CountLine,
    read_calls,
    read_count_line,
    read_instructions,
)
from harness.adapters.host.owner import is_alive
from harness.adapters.local.builds import LocalBuilds
from harness.adapters.local.cgroup import Group
from harness.adapters.local.launcher import CellExit, read_exit
from harness.adapters.local.store import LocalStore
from harness.analysis.costs.count import Uncounted
from tests.property.hostile import HOSTILE, JSON, NUMBERS, WHOLE, effort, is_one_line

ENDS = st.fixed_dictionaries(
    {},
    optional={
        "code": st.none() | NUMBERS | JSON,
        "stopped": st.booleans() | JSON,
        "evidence": st.dictionaries(
            st.sampled_from(["oom-kills", "memory-at-kill-bytes"]) | HOSTILE, NUMBERS
        )
        | JSON,
        "more": JSON,
    },
)
COUNTS = st.fixed_dictionaries(
    {"C": NUMBERS, "ok": NUMBERS, "turns-total": NUMBERS},
    optional={
        "subject": st.fixed_dictionaries({"path": HOSTILE, "hash": HOSTILE}) | JSON,
        "err-sample": HOSTILE,
        "traced-bytes": NUMBERS,
        "refused": HOSTILE,
    },
)
NAMES = HOSTILE | st.sampled_from(
    ["..", ".", "", "tree-..", "../runs/x", "branch", "/", "tree-aa/../../x"]
)


@effort(40, 10_000)
@given(text=ENDS.map(json.dumps) | JSON.map(json.dumps) | WHOLE)
@example(text="[" * 100_000)
@example(text='{"code": "0", "stopped": 1, "evidence": []}')
def test_reports_of_launchers_are_read_or_none(tmp_path: Path, text: str) -> None:
    """A report that is read has values of the declared types."""
    path = tmp_path / "report.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    end = read_exit(path)
    if end is not None:
        assert isinstance(end, CellExit)
        assert end.code is None or type(end.code) is int
        assert type(end.stopped) is bool
        assert isinstance(end.evidence, dict)


@effort(40, 10_000)
@given(
    text=JSON.map(json.dumps)
    | st.tuples(NUMBERS, st.dictionaries(HOSTILE, JSON)).map(json.dumps)
    | WHOLE
)
@example(text="[" * 100_000)
@example(text='[2, {"pids": "/"}]')
@example(text='[2, {"pids": "/sys/fs/cgroup/../../../etc"}]')
@example(text='[2, {"pids": "/sys/fs/cgroup"}]')
def test_notes_of_groups_name_our_own_or_none(tmp_path: Path, text: str) -> None:
    """The named control group is removed, so it must be one of this bench."""
    path = tmp_path / "group.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    assert Group.noted_in(path) is None


@effort(40, 10_000)
@given(word=st.sampled_from(["esc-bench", "sha256", "other", ""]), name=NAMES)
@example(word="esc-bench", name="x" * 5000)
@example(word="sha256", name="a" * 12 + "\0")
@example(word="esc-bench", name="a\ud800")
def test_builds_are_found_in_their_folder_alone(tmp_path: Path, word: str, name: str) -> None:
    """No name of an image leads out of the folder of builds."""
    store = LocalStore(tmp_path / "store")
    for outside in (tmp_path, tmp_path / "store", store.builds, store.runs):
        (outside / "id").write_text("x")
    found = LocalBuilds(store, "esc-1", lambda _: None).folder_of(f"{word}:{name}")
    assert found is None


@effort(40, 20_000)
@given(body=COUNTS | JSON, noise=HOSTILE, code=st.integers(-9, 255), stderr=HOSTILE)
@example(body=[], noise="[" * 100_000, code=0, stderr="")
def test_counts_are_read_or_explained(body: object, noise: str, code: int, stderr: str) -> None:
    """The output of a counted process is a count, or a reason without one."""
    for stdout in (f"COUNT {json.dumps(body)}\n", f"{noise}\nCOUNT {{{noise}}}\n", noise):
        found = read_count_line(stdout, stderr, code)
        assert isinstance(found, CountLine | Uncounted)
        if isinstance(found, CountLine):
            assert found.ok == found.c
        else:
            assert is_one_line(found.reason)
            assert len(found.reason) < 1000


@effort(40, 20_000)
@given(
    text=HOSTILE
    | st.integers(0, 10**30).map(lambda number: f"summary: {number}\n")
    | st.lists(HOSTILE, min_size=5, max_size=6).map(" 0.1 0.2 3 4 ".join)
)
@example(text="summary: " + "9" * 5000)
@example(text="summary: \u0663")
@example(text="1 2 3 \u00b2 read")
@example(text="1 2 3 " + "9" * 5000 + " read")
def test_totals_of_counters_are_read_or_none(text: str) -> None:
    """The files of valgrind and strace may hold anything."""
    assert (read_instructions(text) or 0) >= 0
    assert all(count >= 0 for count in read_calls(text).values())


@effort(40, 10_000)
@given(
    run_id=HOSTILE
    | st.lists(st.sampled_from(["esc", "1", "-", "\u00b2", "9" * 400, "a"]), max_size=6).map(
        "-".join
    )
)
@example(run_id="esc-aaaaaaaa-\u00b2-1-1")
@example(run_id="esc-aaaaaaaa-" + "9" * 5000 + "-1-1")
def test_owners_of_any_run_id_are_found(run_id: str) -> None:
    """An impossible id has no owner, or one on another host."""
    assert is_alive(run_id) in {True, False}
