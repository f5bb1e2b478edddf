"""The rules for a Dockerfile."""

from pathlib import Path

import pytest

import tasks
from harness.adapters.docker.dockerfile import find_fault


@pytest.mark.parametrize(
    "text",
    [
        "ARG BASE\nFROM ${BASE}\n",
        "\ufeffarg BASE=python:3.13-slim\r\nfrom $BASE\r\nRUN true\r\n",
        "# syntax=docker/dockerfile:1\nARG BASE\n\nFROM ${BASE} as Build\nFROM scratch\nFROM build\n",
        "ARG BASE\nFROM ${BASE} AS one\nFROM ${BASE}\nCOPY --from=one --chown=1:1 /a /b\n",
        "ARG BASE\nFROM ${BASE}\nCOPY . /bench\n",
        "ARG BASE\nFROM ${BASE}\nRUN echo one && \\\n  # a comment between\n\n  echo FROM python\n",
        "ARG BASE\nFROM ${BASE}\nRUN true \\\nFROM nothing\n",
        "ARG BASE\nFROM ${BASE}\nRUN true \\",
        'ARG BASE\nFROM ${BASE}\nVOLUME /scratch\nVOLUME ["/scratch"]\n',
        "",
    ],
)
def test_dockerfile_may_stand_on_the_base_and_itself(text: str) -> None:
    """Stages, continuations, comments and small letters work as usual."""
    assert find_fault(text) == ""


def test_dockerfile_of_the_bench_itself_may_be_built() -> None:
    """The rules hold for everybody."""
    assert find_fault((Path(tasks.__file__).parent / "Dockerfile").read_text()) == ""


_ON_BASE = "ARG BASE\nFROM ${BASE} AS one\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("FROM python:3\n", "line 1 of the Dockerfile stands on python:3: only ${BASE}"),
        ("ARG OTHER=x\nFROM \\\n  ${OTHER}\n", "line 2 of the Dockerfile stands on ${OTHER}:"),
        ("FROM ${BASE:-python}\n", "stands on ${BASE:-python}:"),
        ("FROM\n", "stands on nothing:"),
        ("FROM two\nFROM ${BASE} AS two\n", "line 1 of the Dockerfile stands on two:"),
        (f"{_ON_BASE}RUN x\n\tfrom evil\n", "line 4 of the Dockerfile stands on evil:"),
        ("FROM --platform=linux/amd64 ${BASE}\n", "has --platform=linux/amd64, which FROM"),
        (f"{_ON_BASE}FROM ${{BASE}}\nCOPY --from=0 /a /b\n", "copies from 0:"),
        (f"{_ON_BASE}COPY --from=nginx /a /b\n", "line 3 of the Dockerfile copies from nginx:"),
        (f"{_ON_BASE}COPY --from=0 /a /b\n", "copies from 0:"),
        (f"{_ON_BASE}COPY --from= /a /b\n", "has the flag --from=, which is not plain"),
        (f"{_ON_BASE}COPY --fr\\om=nginx /a /b\n", "has the flag --fr\\om=nginx, which is not"),
        (f'{_ON_BASE}COPY --"from"=nginx /a /b\n', "which is not plain"),
        (
            f"{_ON_BASE}ADD https://x/y /b\n",
            "line 3 of the Dockerfile has ADD, which is not allowed here",
        ),
        (f"{_ON_BASE}ADD git@x:y.git /b\n", "has ADD, which is not allowed"),
        (f"{_ON_BASE}ARG U=http://x\nADD ${{U}} /b\n", "has ADD, which is not allowed"),
        (f'{_ON_BASE}ADD ["http://x", "/b"]\n', "has ADD, which is not allowed"),
        (f'{_ON_BASE}ADD ["http://x, /b\n', "has ADD, which is not allowed"),
        (
            f"{_ON_BASE}RUN --mount=type=bind,from=x true\n",
            "has --mount=type=bind,from=x, which RUN",
        ),
        (f"{_ON_BASE}RUN --network=host true\n", "has --network=host, which RUN cannot"),
        (f"{_ON_BASE}ONBUILD add http://x /\n", "has ONBUILD, which is not allowed here"),
        ("FORM nothing\n", "line 1 of the Dockerfile has FORM, which"),
        (f"{_ON_BASE}ONBUILD " * 2000, "line 3 of the Dockerfile has ONBUILD"),
        (f"{_ON_BASE}ADD {'[' * 200_000}@\n", "line 3 of the Dockerfile has ADD"),
        ("FROM\\\n evil\n", "line 1 of the Dockerfile stands on evil:"),
        (f"{_ON_BASE}COPY\\\n --from=nginx /a /b\n", "copies from nginx:"),
        (f"{_ON_BASE}ADD\\\n\thttp://x /b\n", "has ADD, which is not allowed"),
        (f"{_ON_BASE}RUN\\\n --mount=type=bind true\n", "has --mount=type=bind, which RUN"),
        (f"{_ON_BASE}COPY --from=one /a /b\n", "copies from one:"),
        (f"{_ON_BASE}RUN <<'E\\'\nE\\\nFROM evil\n", "has a here-document"),
        (f"{_ON_BASE}HEALTHCHECK CMD true\n", "has HEALTHCHECK, which is not allowed here"),
        (f"{_ON_BASE}VOLUME /scratch /other\n", "makes a volume of something else than /scratch"),
        (f"# escape=`\n{_ON_BASE}", "line 1 of the Dockerfile changes the escape character"),
        (f"{_ON_BASE}RUN x \\\\\nFROM evil\n", "line 3 of the Dockerfile may or may not continue"),
        (f"{_ON_BASE}RUN x \\\n\x1c\nFROM evil\n", "line 4 of the Dockerfile holds a character"),
        (f"{_ON_BASE}RUN x \\\x0b\nFROM evil\n", "line 3 of the Dockerfile holds a character"),
    ],
)
def test_dockerfile_that_stands_on_more_is_refused(text: str, fault: str) -> None:
    """Whatever any builder could fetch, or build on, is named with its line."""
    assert fault in find_fault(text)
