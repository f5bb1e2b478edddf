"""The switches `--run-docker` and `--run-counters`: a requested test never skips."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tasks

pytestmark = pytest.mark.slow

ROOT = Path(tasks.__file__).parent
MARKED = (
    "import pytest\n\n@pytest.mark.docker\ndef test_it():\n    {}\n\ndef test_other():\n    pass\n"
)
CONFTEST = "from tests.conftest import *\n"


def _pytest(folder: Path, body: str, *options: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  docker: needs an engine\n  counters: needs tools\n"
    )
    (folder / "test_it.py").write_text(body)
    environment = {name: text for name, text in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_docker_tests_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    """Without the switch they are not collected, and the run passes."""
    code, out = _pytest(tmp_path, MARKED.format("raise AssertionError"))
    assert (code, out.splitlines()[-1].split(" in ")[0]) == (0, "1 passed, 1 deselected")


def test_docker_tests_run_when_asked_for(tmp_path: Path) -> None:
    """With the switch they run like any other."""
    code, out = _pytest(tmp_path, MARKED.format("pass"), "--run-docker")
    assert (code, out.splitlines()[-1].split(" in ")[0]) == (0, "2 passed")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (MARKED.format("pytest.skip('no engine')"), "test_it.py::test_it"),
        (
            f"import pytest\npytest.skip('no engine', allow_module_level=True)\n{MARKED}",
            "test_it.py",
        ),
    ],
)
def test_docker_tests_that_skip_themselves_fail_the_run(
    tmp_path: Path, body: str, name: str
) -> None:
    """A missing engine is no excuse once the tests were asked for."""
    code, out = _pytest(tmp_path, body, "--run-docker")
    assert code == (1 if "::" in name else 5)
    assert f"FAILED {name} - skipped, and --run-docker asks for it to run" in out


def test_counter_tests_are_another_switch(tmp_path: Path) -> None:
    """The switches are independent of each other."""
    body = MARKED.replace("docker", "counters").format("pytest.skip('no tool')")
    code, out = _pytest(tmp_path, body, "--run-docker")
    assert (code, out.splitlines()[-1].split(" in ")[0]) == (0, "1 passed, 1 deselected")
    code, out = _pytest(tmp_path, body, "--run-counters")
    assert code == 1
    text = "FAILED test_it.py::test_it - skipped, and --run-counters asks for it to run"
    assert text in out
