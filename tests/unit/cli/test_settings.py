"""Settings, from where they come and what is said of those that cannot be used."""

from typing import Any

import pytest

from harness.cli.flags import Flags
from harness.cli.settings import settle
from harness.model.errors import UsageError
from harness.model.nouns import Arm, Caps, Drive, Load, Side
from harness.model.plan import Plan
from harness.model.request import Request

DRIVES = {side: Drive(arm=Arm.SC_MEM, environment={}) for side in Side}


def _settle(**sources: Any) -> Request:  # noqa: ANN401  # each has the type of its field
    return settle(Flags(**sources), host_cpus=8)


def _message(**sources: Any) -> str:  # noqa: ANN401  # each has the type of its field
    with pytest.raises(UsageError) as caught:
        _settle(**sources)
    return caught.value.what


def test_settle_without_a_word_is_the_reference() -> None:
    """The defaults are those that the documents name."""
    assert _settle() == Request(
        load=Load(turns=6, ttft_ms=200, tokens=50, tok_ms=5),
        caps=Caps(cpus=2.0, memory_bytes=2 << 30, pids=None, timeout_s=600.0),
        plan=Plan(levels=(500, 1000, 2000, 4000, 8000), blocks=1, warm_up=True),
        drives=DRIVES,
    )


def test_settle_reads_every_setting() -> None:
    """Each flag reaches the setting that has its name."""
    typed = {
        "cpus": "1.5",
        "mem": "512m",
        "pids": "4096",
        "timeout": "10m",
        "levels": "100, 200 400",
        "load": "1,2,3,4,50,64",
        "blocks": "4",
        "warm_up": False,
        "refine": True,
        "objective": "1.5",
        "pairs": "8",
        "decision_levels": "100,400",
        "budget": "20m",
        "base_image": "python:3.12",
    }
    assert _settle(typed=typed) == Request(
        load=Load(turns=1, ttft_ms=2, tokens=3, tok_ms=4, qsleep_ms=50, state_kb=64),
        caps=Caps(cpus=1.5, memory_bytes=512 << 20, pids=4096, timeout_s=600.0),
        plan=Plan(
            levels=(100, 200, 400),
            blocks=4,
            warm_up=False,
            refine=True,
            objective=1.5,
            pairs=8,
            decision_levels=(100, 400),
            budget_s=1200.0,
        ),
        drives=DRIVES,
        base_image="python:3.12",
    )


SOURCES: list[tuple[str, dict[str, object]]] = [
    ("typed", {"cpus": "1"}),
    ("environ", {"CPUS": "2"}),
    ("invoke", {"cpus": "3"}),
    ("pyproject", {"cpus": 4}),
]


@pytest.mark.parametrize("first", range(4))
def test_settle_takes_the_first_source_that_has_a_setting(first: int) -> None:
    """Flags win, then CPUS and its like, then INVOKE_*, then pyproject."""
    given = dict(SOURCES[first:])
    assert _settle(**given).caps.cpus == first + 1


@pytest.mark.parametrize("nothing", [None, ""])
def test_settle_takes_an_empty_source_for_none(nothing: str | None) -> None:
    """A missing flag, an empty variable and an unset configuration are skipped."""
    empty: dict[str, object] = {"typed": {"cpus": nothing or ""}, "environ": {"CPUS": ""}}
    given = empty | {"invoke": {"cpus": nothing}, "pyproject": {"cpus": 4}}
    assert _settle(**given).caps.cpus == 4


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"MEM": "1g"}, Caps(memory_bytes=1 << 30)),
        ({"PIDS": "99"}, Caps(pids=99)),
        ({"TIMEOUT": "5"}, Caps(timeout_s=5.0)),
    ],
)
def test_settle_reads_the_variables_that_people_know(
    environ: dict[str, str], expected: Caps
) -> None:
    """MEM, PIDS and TIMEOUT set their caps as CPUS does."""
    assert _settle(environ=environ).caps == expected


def test_settle_reads_the_names_of_pyproject() -> None:
    """There, units end the names, and lists are lists."""
    table = {"memory": "1g", "timeout_s": 30, "levels": [1, 2], "load": [1, 2, 3, 4], "pids": 64}
    settings = _settle(pyproject=table)
    assert settings.caps == Caps(memory_bytes=1 << 30, timeout_s=30.0, pids=64)
    assert (settings.plan.levels, settings.load.tok_ms) == ((1, 2), 4)


def test_settle_reads_lists_of_invokes_files() -> None:
    """A ladder in invoke.yaml may be a list as well."""
    assert _settle(invoke={"levels": [10, 20]}).plan.levels == (10, 20)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"typed": {"cpus": "x"}}, "--cpus"),
        ({"environ": {"CPUS": "x"}}, "CPUS in the environment"),
        ({"invoke": {"cpus": "x"}}, "INVOKE_CPUS"),
        ({"pyproject": {"cpus": "x"}}, "[tool.esc-bench] cpus"),
    ],
)
def test_settle_names_where_a_bad_setting_came_from(given: dict[str, object], where: str) -> None:
    """A person finds the place that is to be mended."""
    assert _message(**given) == f"{where}: 'x' is not a number above 0"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"typed": {"mem": "lots"}}, "--mem: 'lots' is not an amount of memory"),
        (
            {"pyproject": {"memory": "1m"}},
            "[tool.esc-bench] memory: '1m' is below 6m, the smallest box there is",
        ),
        (
            {"pyproject": {"timeout_s": 0}},
            "[tool.esc-bench] timeout_s: '0' is not a duration above zero",
        ),
        (
            {"environ": {"PIDS": "7"}},
            "PIDS in the environment: '7' is not a whole number of at least 8",
        ),
        ({"typed": {"levels": "2,1"}}, "--levels: 2,1 does not ascend"),
        ({"typed": {"blocks": "-1"}}, "--blocks: '-1' is not a whole number of at least 0"),
        ({"typed": {"pairs": "x"}}, "--pairs: 'x' is not a whole number of at least 0"),
        ({"typed": {"objective": "0"}}, "--objective: '0' is not a number above 0"),
        ({"typed": {"budget": "soon"}}, "--budget: 'soon' is not a duration above zero"),
        (
            {"pyproject": {"budget_s": 0}},
            "[tool.esc-bench] budget_s: '0' is not a duration above zero",
        ),
        ({"invoke": {"refine": "perhaps"}}, "INVOKE_REFINE: 'perhaps' is neither yes nor no"),
        (
            {"typed": {"decision_levels": "2,1"}},
            "--decision-levels: 2,1 does not ascend",
        ),
        ({"invoke": {"load": "6 200"}}, "INVOKE_LOAD: '6 200' is not a load"),
        ({"typed": {"cpus": "9"}}, "--cpus: 9 CPUs, but this host has 8"),
        (
            {"environ": {"CPUS": "0.001"}},
            "CPUS in the environment: 0.001 CPUs is below 0.01, the smallest share that the kernel enforces",
        ),
        (
            {"pyproject": {"cpu": 2}},
            "[tool.esc-bench] in pyproject.toml has no setting 'cpu'",
        ),
        ({"pyproject": {"mem": "2g"}}, "[tool.esc-bench] in pyproject.toml has no setting 'mem'"),
    ],
)
def test_settle_refuses_what_cannot_be_used(given: dict[str, object], expected: str) -> None:
    """Each message names the source, the value and what is wrong with it."""
    assert _message(**given) == expected


def test_settle_allows_all_cpus_of_the_host() -> None:
    """The host's own number is not above the host."""
    assert _settle(typed={"cpus": "8"}).caps.cpus == 8.0


@pytest.mark.parametrize("box", ["auto", "docker", "cgroup", "watchdog"])
def test_settle_reads_each_box(box: str) -> None:
    """Each kind of box can be asked for, and `auto` is what is meant without a word."""
    assert _settle(typed={"box": box}).box == box
    assert _settle().box == "auto"


def test_settle_names_the_boxes_that_there_are() -> None:
    """A box that was mistyped is told with those that there are."""
    with pytest.raises(UsageError) as caught:
        _settle(invoke={"box": "podman"})
    assert str(caught.value) == (
        "INVOKE_BOX: there is no box 'podman' — write auto, docker, cgroup or watchdog"
    )
