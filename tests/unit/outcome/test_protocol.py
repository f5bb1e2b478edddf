"""A probe's output, as the host parses it."""

import json
import sys

import pytest

from harness.model.cells import Subject
from harness.outcome.protocol import CapsLine, ProbeOutput, ProgressLine, WorkerExit, read_output
from tests.builders.model import make_result

RESULT = {"arm": "sc-mem", "C": 500, "ok": 500, "errors": 0}
EDN = (
    'RESULT {:arm "sc-mem", :vt true, :C 500, :ok 498, :errors 2, :err-sample nil, :wall-ms 4012, '
    ':latency-infl "3.18x", :cpu-sec "7.25", :cpu-ms/turn "2.41", :peak-rss-mb 412.5, :peak-threads 1009}'
)


def _line(word: str, **fields: object) -> str:
    return f"{word} {json.dumps(fields)}"


def test_read_output_reads_a_whole_cell() -> None:
    """Each word of the protocol becomes its record; other lines are skipped."""
    output = read_output(
        [
            "starting",
            _line("CAPS", cpus=2.0, **{"memory-bytes": 1024, "swap-bytes": 0}, network=["lo"]),
            _line("PROGRESS", **{"t-ms": 1000, "done": 1, "peak-threads": 9, "rss-mb": 3}),
            "INFO a session ended",
            _line("PROGRESS", **{"t-ms": 2000, "done": 2}),
            _line("RESULT", **RESULT, **{"latency-infl": 1.5, "peak-rss-mb": 100}),
            "{",
            ' "C" 500',
        ]
    )
    assert output == ProbeOutput(
        caps=CapsLine(cpus=2.0, memory_bytes=1024, swap_bytes=0, network=("lo",)),
        progress=(
            ProgressLine(t_ms=1000, done=1, peak_threads=9),
            ProgressLine(t_ms=2000, done=2),
        ),
        result=make_result(
            500,
            latency_infl=1.5,
            peak_rss_mb=100.0,
            cpu_ms_per_turn=None,
            peak_threads=None,
            peak_fds=None,
        ),
    )


def test_read_output_reads_the_supervisors_report() -> None:
    """An OUTCOME line has a cause, evidence and the end of the worker's stderr."""
    line = _line(
        "OUTCOME", cause="oom", signal=9, **{"exit-code": 137, "stderr-tail": ["a", "b"]},
        evidence={"oom-kill": 1},
    )  # fmt: skip
    assert read_output([line]).worker_exit == WorkerExit(
        cause="oom", exit_code=137, signal=9, evidence={"oom-kill": 1}, stderr_tail=("a", "b")
    )


def test_read_output_of_nothing_is_empty() -> None:
    """Missing output is no fault of the protocol."""
    assert read_output([]) == ProbeOutput()


def test_read_output_reads_the_subject() -> None:
    """The runtime has a path, a version and a hash."""
    subject = {"path": "/bench/src/escapement", "version": "1.0", "hash": "ab"}
    result = read_output([_line("RESULT", **RESULT, subject=subject)]).result
    assert result is not None
    assert result.subject == Subject(path="/bench/src/escapement", version="1.0", hash="ab")


def test_read_output_reads_a_result_printed_by_clojure() -> None:
    """Keywords, nil and numbers as text are converted."""
    pytest.importorskip("edn_format")
    output = read_output([EDN])
    assert output.faults == ()
    assert output.result == make_result(
        500,
        ok=498,
        errors=2,
        vt=True,
        wall_ms=4012.0,
        latency_infl=3.18,
        cpu_sec=7.25,
        cpu_ms_per_turn=2.41,
        peak_rss_mb=412.5,
        peak_threads=1009,
        peak_fds=None,
    )


@pytest.mark.parametrize(
    "body",
    [
        '{:arm "sc-mem", :C 500',
        "{:arm}",
        '{:arm "sc-mem", :C 1, :ok 1, :errors 0, :latency-infl "fast"}',
        '{:arm "sc-mem", :C 1, :ok 1, :errors 0, :latency-infl "NaNx"}',
        '{:arm "sc-mem", :C 1, :ok 1, :errors 0, :wall-ms 1e999}',
        '{:arm #inst "never"}',
        "{:arm #inst {}}",
    ],
)
def test_read_output_names_what_is_wrong_with_edn(body: str) -> None:
    """Torn or odd EDN, and text in place of a number, are faults."""
    pytest.importorskip("edn_format")
    output = read_output([f"RESULT {body}"])
    assert output.result is None
    assert [fault.partition(":")[0] for fault in output.faults] == ["a RESULT line cannot be read"]


def test_read_output_of_edn_names_the_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fault contains the command that installs the extra."""
    monkeypatch.setitem(sys.modules, "edn_format", None)
    assert read_output([EDN]).faults == (
        "a RESULT line cannot be read: it is EDN, which needs: pip install 'escapement[clojure]'",
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('{"arm": "sc-mem", "C": 500, "ok"', id="torn"),
        pytest.param("{}", id="empty"),
        pytest.param('{"arm": "sc-mem", "C": "many", "ok": 1, "errors": 0}', id="another type"),
        pytest.param('{"arm": "a", "C": 1, "ok": 1, "errors": 0, "new": 1}', id="unknown key"),
        pytest.param('{"arm": "a", "C": 1, "ok": 1, "errors": 0, "wall-ms": NaN}', id="NaN"),
        pytest.param('{"arm": "a", "C": 1, "ok": 1, "errors": 0, "wall-ms": -Infinity}', id="inf"),
        pytest.param(
            '{"arm": "a", "C": 1, "ok": 1, "errors": 0, "wall-ms": 1e999}', id="too large"
        ),
        pytest.param('{"arm": "a", "C": ' + "9" * 5000 + "}", id="thousands of digits"),
        pytest.param(
            '{"arm": "a", "C": 1, "ok": 1, "errors": 0, "wall-ms": 1' + "0" * 400 + "}",
            id="beyond a float",
        ),
        pytest.param('{"arm": "a", "C": 1, "ok": -1, "errors": 0}', id="below zero"),
        pytest.param(
            '{"arm": "a", "C": 9007199254740993, "ok": 1, "errors": 0}',
            id="a count beyond 2**53",
        ),
        pytest.param(
            '{"arm": "a", "C": 1, "ok": 1, "errors": 0, "wall-ms": 1e300}',
            id="an impossible time",
        ),
        pytest.param(
            '{"arm": "a", "C": 1, "ok": 1, "errors": 0, "' + "k" * 900 + '": 1}', id="a long key"
        ),
        pytest.param('{"arm": ' + "[" * 200_000, id="deeply nested"),
        pytest.param('{"err-sample": "' + "x" * (2 << 20) + '"}', id="a line of megabytes"),
    ],
)
def test_read_output_makes_a_fault_of_an_unreadable_line(body: str) -> None:
    """An unreadable line is reported; it raises nothing, and no part of it is used."""
    output = read_output([f"RESULT {body}"])
    assert output.result is None
    assert len(output.faults) == 1
    assert output.faults[0].startswith("a RESULT line cannot be read: ")
    assert len(output.faults[0]) <= 500


def test_read_output_refuses_numbers_beyond_64_bits() -> None:
    """Any program can read the stored evidence."""
    lines = [
        f'OUTCOME {{"cause": "oom", "evidence": {{"peak": {number}}}}}'
        for number in (2**63, 2**63 - 1)
    ]
    output = read_output(lines)
    assert output.faults == (
        "a OUTCOME line cannot be read: a whole number of 19 digits is too large",
    )
    assert output.worker_exit == WorkerExit(cause="oom", evidence={"peak": 2**63 - 1})


@pytest.mark.parametrize(
    "line",
    [
        "the RESULT {} was good",
        " RESULT {}",
        "RESULTS {}",
        "RESULT",
        "RESULT: {}",
        "RESULT pending",
        "result {}",
        "PROGRESS 50 %",
        "OUTCOME unknown",
        "",
    ],
)
def test_read_output_skips_lines_that_only_contain_a_word(line: str) -> None:
    """A subject may print such words in its own lines."""
    assert read_output([line]) == ProbeOutput()


def test_read_output_reports_a_second_result() -> None:
    """Two RESULTs are a fault; the first one is kept."""
    output = read_output([_line("RESULT", **RESULT), _line("RESULT", **(RESULT | {"C": 9}))])
    assert output.result is not None
    assert output.result.c == 500
    assert output.faults == ("2 RESULT lines, but a cell has only one",)


def test_read_output_keeps_the_lines_before_a_torn_line() -> None:
    """A kill in the middle of a line loses only that line, and is no fault."""
    output = read_output([_line("PROGRESS", done=7), 'PROGRESS {"done": 8, "thr'])
    assert [line.done for line in output.progress] == [7]
    assert len(output.torn) == 1
    assert output.faults == ()


def test_read_output_allows_new_keys_of_evidence() -> None:
    """Later probes may add keys to CAPS, PROGRESS and OUTCOME."""
    lines = [
        _line("CAPS", cpus=1.0, surprise=1),
        _line("PROGRESS", done=1, surprise=1),
        _line("OUTCOME", cause="exit", surprise=1),
    ]
    assert read_output(lines).faults == ()


def test_read_output_replaces_lone_surrogates() -> None:
    """JSON may contain lone surrogates, but UTF-8 cannot."""
    line = _line(
        "RESULT", **(RESULT | {"ok": 0, "errors": 500}), **{"err-sample": "bad \udcff name"}
    )
    result = read_output([line]).result
    assert result is not None
    assert str(result.err_sample).encode().startswith(b"bad ")


def test_read_output_cuts_long_values() -> None:
    """Texts, lists and maps are cut; evidence that is still too large is dropped."""
    text, short = "x" * 5000, "x" * 1000 + "…"
    line = _line(
        "OUTCOME",
        cause=text,
        evidence={"a": text, "b": list(range(500)), "c": {str(n): n for n in range(500)}},
        **{"stderr-tail": [text]},
    )
    worker_exit = read_output([line]).worker_exit
    assert worker_exit is not None
    assert (worker_exit.cause, worker_exit.stderr_tail, worker_exit.evidence["a"]) == (
        short,
        (short,),
        short,
    )
    assert (len(worker_exit.evidence["b"]), len(worker_exit.evidence["c"])) == (64, 64)
    much = _line("OUTCOME", cause="exit", evidence={str(n): "x" * 900 for n in range(60)})
    left = read_output([much]).worker_exit
    assert left is not None
    assert left.evidence == {"left-out": "it was too large"}


def test_read_output_cuts_deep_evidence() -> None:
    """Values that are nested deeper than six levels are dropped."""
    deep: object = "bottom"
    for _ in range(50):
        deep = [deep]
    worker_exit = read_output([_line("OUTCOME", cause="exit", evidence={"a": deep})]).worker_exit
    assert worker_exit is not None
    assert str(worker_exit.evidence) == "{'a': [[[[[None]]]]]}"


def test_read_output_keeps_the_first_and_the_last_of_many_lines() -> None:
    """The number of skipped lines is reported."""
    lines = (f'PROGRESS {{"t-ms": {number}}}' for number in range(20_000))
    output = read_output(lines)
    times = [line.t_ms for line in output.progress]
    assert (len(times), times[0], times[999], times[1000], times[-1]) == (
        11_000,
        0,
        999,
        10_000,
        19_999,
    )
    assert output.torn == ("9,000 PROGRESS lines in the middle were skipped",)


def test_read_output_reports_twenty_faults_and_counts_the_others() -> None:
    """A thousand sentences are not more useful than twenty."""
    faults = read_output(["RESULT {"] * 1000).faults
    assert len(faults) == 21
    assert faults[-1] == "and 981 more"
