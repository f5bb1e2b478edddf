"""The job summary of GitHub Actions: a file that its steps append markdown to."""

from collections.abc import Mapping
from pathlib import Path

_VARIABLE = "GITHUB_STEP_SUMMARY"


def append_summary(environ: Mapping[str, str], summary: str) -> str:
    """Append a summary to the job's, where there is a job.

    Args:
        environ: The process's environment.
        summary: Markdown that ends in a newline.

    Returns:
        What came of it, for people; empty where there is no job. A summary that cannot be written takes no verdict with it.
    """
    name = environ.get(_VARIABLE)
    if not name:
        return ""
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(f"\n{summary}")
    except OSError as error:
        return f"the job summary {name} cannot be written: {error.strerror}"
    return f"the summary is appended to {name}"
