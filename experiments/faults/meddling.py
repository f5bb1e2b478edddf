"""Removal of containers and images by somebody else."""

import contextlib
import time

from experiments.faults.engine_faults import at_cell, check_ended, check_outcomes, check_resume
from experiments.faults.scenario import Findings, Lab


def remove_container(lab: Lab, found: Findings) -> None:
    """Remove the container of a running cell."""
    _meddle(lab, found, "rm", "--force")


def kill_container(lab: Lab, found: Findings) -> None:
    """Kill the container of a running cell."""
    _meddle(lab, found, "kill")


def remove_images(lab: Lab, found: Findings) -> None:
    """Remove all images of the tool during a run."""
    site = lab.site("images")

    def remove() -> None:
        for _ in range(40):  # an image in use cannot be removed
            listed = site.engine.docker("images", "--quiet", "--no-trunc", "esc-bench")
            if not listed:
                return
            for image in set(listed.split()):
                site.engine.try_docker("rmi", "--force", image)
            time.sleep(0.05)

    running = at_cell(site, "die", 0.0, remove)
    found.times += 1
    running.wait()
    check_ended(running, found, {5, 11, 12})
    check_outcomes(site, found)
    found.check_left(site)
    check_resume(site, found)
    found.lost.append("the builds, which --resume repeats")


def _meddle(lab: Lab, found: Findings, *words: str) -> None:
    site = lab.site(words[0])
    for _ in range(3):

        def meddle() -> None:
            for container in site.engine.cells():
                with contextlib.suppress(AssertionError):  # it has ended
                    site.engine.docker(*words, container)

        running = at_cell(site, "start", lab.moments.uniform(0.1, 0.6), meddle)
        found.times += 1
        check_ended(running.wait(), found, {0, 5})
    check_outcomes(site, found)
    found.lost.append("the running cell, which is retried")
    found.check_left(site)
