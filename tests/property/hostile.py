"""Strategies of hostile values, and the number of examples for each property."""

import json
from collections.abc import Mapping

from hypothesis import HealthCheck, settings, strategies as st

from harness.model.errors import HarnessError
from harness.outcome.protocol import ProbeOutput, read_output

PROBE_WORDS = ("CAPS", "PROGRESS", "RESULT", "OUTCOME")

_TRICKS = (
    "",
    " ",
    "\0",
    "a\nb\r\n# heading",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "</details><script>alert(1)</script>",
    "<!-- ",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt;&#x202e;&nbsp;",
    "a | b || c |",
    "`a` ``b` ```",
    "\\`\\|\\\\",
    "\\",
    "[text](https://example.org) ![image](//example.org/x.png)",
    "[text]: https://example.org",
    "https://example.org/|a`b www.example.org mail@example.org",
    "@everybody and (@some-body/team), GH-12 owner/name#34 #56 name@0123abc",
    "*a* **b** _c_ __d__ ~~e~~ ~f~",
    "# heading",
    "- [ ] item",
    "1. item",
    "1) item",
    "+ item",
    "---",
    "===",
    "    code",
    "\tcode",
    "~~~",
    "> quote",
    "\u202eright to left\u202c \u2066isolated",
    "zero\u200bwidth\u200d\ufeff\u2060",
    "line\u2028separator\u2029next\x85line\x0bvertical\x0cfeed",
    "\ud800 half, and \udfff the other",
    "a" + "\u0301" * 40,
    "\U0001f469\u200d\U0001f4bb emoji \ufe0f\u20e3",
    "\u3164\u2800\uffa0 blank letters",
    "\U000e0041\U000e0042 tags, \ue000 private, \uffff none",
    "$\\unicode{x}$",
    "{0} {name} %s %(a)s",
    "../../etc/passwd",
    "/etc/passwd",
    "--upload-pack=touch x",
    "-h",
    "nan",
    "Too many open files",
    "can't start new thread",
    "x" * 5000,
)
TEXTS = st.sampled_from(_TRICKS) | st.text(st.characters(exclude_categories=()), max_size=20)
"""Any text at all, half characters included, and the tricks that are known."""

HOSTILE = TEXTS | st.lists(TEXTS, min_size=2, max_size=4).map("".join)
"""The same, and several of them at once."""

WHOLE = HOSTILE.map(lambda text: text.encode(errors="replace").decode())
"""The same as they come out of a file: without half characters."""

NUMBERS = st.one_of(
    st.integers(-3, 3000),
    st.sampled_from([-(2**63), 2**63, 2**64, 10**40, -(10**400), 2**53, -1]),
    st.floats(),
    st.sampled_from([0.0, -0.0, 5e-324, 1e308, 1e-308, 1.5]),
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=6,
)
"""Values that `json` writes: large numbers, NaN and infinity included."""

_RESULT_KEYS = (
    *("arm", "C", "ok", "errors", "vt", "err-sample", "wall-ms", "turns-total", "nominal-turn-ms"),
    *("p50-session-ms", "p99-session-ms", "latency-infl", "cpu-sec", "cpu-ms/turn", "peak-rss-mb"),
    *("rss-kb/sess", "peak-threads", "deltas", "state-kb", "schema", "procs", "workers", "pacing"),
    *("mock-lag-p99-ms", "base-rss-mb", "peak-fds", "throttled-ms", "python", "subject"),
)
_KEYS = {
    "RESULT": _RESULT_KEYS,
    "PROGRESS": (
        *(
            "t-ms",
            "done",
            "errors",
            "deltas",
            "threads",
            "peak-threads",
            "peak-rss-mb",
            "peak-fds",
        ),
        *("cpu-pct", "host-cpus", "host-ms", "steal-ms", "others-cpu-ms", "pressure-ms"),
    ),
    "CAPS": ("cpus", "memory-bytes", "swap-bytes", "pids", "network"),
    "OUTCOME": ("cause", "exit-code", "signal", "evidence", "stderr-tail"),
}
_EVIDENCE_KEYS = (
    *(
        "sessions-done",
        "memory-peak-bytes",
        "memory-max-bytes",
        "pids-max",
        "pids-peak",
        "pid-max",
    ),
    *("max-map-count", "threads-max", "peak-threads", "oom-kills"),
)
_RIGHT: dict[str, st.SearchStrategy[object]] = {
    "arm": st.sampled_from(["sc-mem", "hand"]) | HOSTILE,
    "C": st.just(500) | NUMBERS,
    "ok": st.sampled_from([500, 499]) | NUMBERS,
    "errors": st.sampled_from([0, 1]) | NUMBERS,
    "vt": st.booleans(),
    "cause": st.sampled_from(["oom", "exit", "signal"]) | HOSTILE,
    "signal": st.sampled_from([None, 0, 6, 9, 11]) | NUMBERS,
    "evidence": st.dictionaries(st.sampled_from(_EVIDENCE_KEYS) | HOSTILE, NUMBERS | JSON),
    "stderr-tail": st.lists(HOSTILE, max_size=4),
    "network": st.none() | st.lists(HOSTILE, max_size=3),
    "subject": st.fixed_dictionaries({"path": HOSTILE, "version": HOSTILE, "hash": HOSTILE}),
    **dict.fromkeys(("err-sample", "workers", "pacing", "python"), HOSTILE),
}
_NEEDED = {"RESULT": ("arm", "C", "ok", "errors"), "OUTCOME": ("cause",)}


def _maps(word: str) -> st.SearchStrategy[Mapping[str, object]]:
    """Draw maps that are nearly what a word of the protocol is followed by."""
    of = {key: _RIGHT.get(key, NUMBERS) for key in _KEYS[word]}
    needed = {key: of[key] for key in _NEEDED.get(word, ())}
    fair = st.fixed_dictionaries(needed, optional={k: v for k, v in of.items() if k not in needed})
    foul = st.dictionaries(st.sampled_from(_KEYS[word]) | HOSTILE, JSON, max_size=4)
    return st.one_of(fair, fair, foul, st.builds(lambda a, b: a | b, fair, foul))


def _json_text(value: object) -> str:
    return json.dumps(value)


_CUTS = st.none() | st.integers(0, 60)
JSON_LINES = st.one_of(
    [
        st.builds(
            lambda word, body, cut: (
                f"{word} {_json_text(body)[: None if cut is None else -cut or None]}"
            ),
            st.just(word),
            _maps(word),
            _CUTS,
        )
        for word in PROBE_WORDS
    ]
)
"""Lines that are nearly the protocol's, a few of them torn."""

_EDN_PARTS = (
    *(
        ":arm",
        ":C",
        ":ok",
        ":errors",
        ":latency-infl",
        ":a/b",
        '"3.18x"',
        '"nan×"',
        '"x"',
        '"1e999x"',
    ),
    *(
        "1",
        "-1",
        "500",
        "1.5",
        "1N",
        "1.5M",
        "2/3",
        "1/0",
        "1e999",
        "##NaN",
        "##Inf",
        "0x1f",
        "9" * 5000,
    ),
    *(
        '"a"',
        '"\\ud800"',
        "\\a",
        "\\newline",
        "\\u0041",
        "nil",
        "true",
        "false",
        "x",
        "a/b",
        "+",
        "-",
    ),
    *("{", "}", "[", "]", "(", ")", "#{", "#_", ";comment", ",", "^", "'", "@", "`", "~", "#"),
    *(
        "#inst",
        '#inst "2026-01-01"',
        "#inst {}",
        '#uuid "x"',
        "#uuid",
        "#tag",
        "#foo/bar [1]",
        "\n",
    ),
)
EDN_LINES = st.builds(
    lambda word, glue, parts, end: f"{word} {{:arm {glue.join(parts)}{end}",
    st.sampled_from(PROBE_WORDS),
    st.sampled_from([" ", ""]),
    st.lists(st.sampled_from(_EDN_PARTS), max_size=14),
    st.sampled_from(["}", "", "}}", "} "]),
)
NESTED_LINES = st.builds(
    lambda word, opening, depth, closes: (
        f"{word} {{{opening[0]}{opening[1] * depth}{opening[2] * depth * closes}}}"
    ),
    st.sampled_from(PROBE_WORDS),
    st.sampled_from(
        [('"a":', "[", "]"), ('"a":', '{"a":', "}"), (":a ", "[", "]"), (":a ", "#_", "")]
    ),
    st.sampled_from([3, 900, 2000]),
    st.integers(0, 1),
)
TWICE_LINES = st.builds(
    lambda key, first, second: (
        f'RESULT {{"{key}":{_json_text(first)},"arm":"a","C":1,"ok":1,"errors":0,"{key}":{_json_text(second)}}}'
    ),
    st.sampled_from(_RESULT_KEYS),
    JSON,
    JSON,
)
NOISE_LINES = st.builds(
    lambda word, text: f"{word} {text}", st.sampled_from([*PROBE_WORDS, "INFO", ""]), HOSTILE
)
LINES = st.one_of(JSON_LINES, JSON_LINES, EDN_LINES, TWICE_LINES, NOISE_LINES)
"""A line that a probe may print, the usual ones the most often."""

OUTPUTS: st.SearchStrategy[ProbeOutput] = st.lists(LINES, max_size=6).map(read_output)
"""Lines of a probe's output."""


_UNMINDED = (
    HealthCheck.function_scoped_fixture,  # a folder that every example writes anew
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
)


def effort(quick: int, deep: int) -> settings:
    """Set the number of examples: few, or very many under the profile `deep`."""
    is_deep = settings.get_current_profile_name() == "deep"
    return settings(max_examples=deep if is_deep else quick, suppress_health_check=_UNMINDED)


def see_that_it_is_clear(error: HarnessError) -> None:
    """See that an error is one line that can be read."""
    line = str(error)
    assert is_one_line(line), line
    assert len(line) < 1000, line


def is_one_line(text: str) -> bool:
    """Return whether a text is one harmless line in terminal, log and table."""
    return text.isprintable()
