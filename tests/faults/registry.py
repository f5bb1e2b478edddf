"""All faults, in the order of the table."""

from tests.faults import (
    disks,
    engine_faults,
    kills,
    meddling,
    signals,
    turns,
)
from tests.faults.scenario import Scenario

SCENARIOS = (
    Scenario(
        "kills",
        "the tool is killed",
        "SIGKILL at random moments of a compare of 10 cells; each fourth has a build to make",
        kills.kill_often,
        longest_s=1800,
    ),
    Scenario(
        "chain",
        "the tool is killed again and again",
        "SIGKILL at random moments of one run, until it completes",
        kills.kill_in_a_chain,
    ),
    Scenario(
        "signals",
        "the tool is asked to end",
        "Ctrl-C, Ctrl-C three times, SIGTERM, SIGHUP at random moments",
        signals.ask_to_end,
        longest_s=900,
    ),
    Scenario(
        "crash-build",
        "dockerd crashes in a build",
        "SIGKILL, started again after a second",
        engine_faults.crash_in_build,
    ),
    Scenario(
        "crash-start",
        "dockerd crashes in a start",
        "SIGKILL at the event of a cell's `create`, started again after a second",
        engine_faults.crash_in_start,
    ),
    Scenario(
        "crash-cell",
        "dockerd crashes in a cell",
        "SIGKILL within a second of the event of a cell's `start`, started again after a second",
        engine_faults.crash_in_cell,
    ),
    Scenario(
        "vanish",
        "dockerd is gone for good in a cell",
        "SIGKILL, started again after the run had ended",
        engine_faults.vanish_in_cell,
    ),
    Scenario(
        "hang",
        "dockerd hangs in a cell",
        "SIGSTOP for 40 s",
        engine_faults.hang_in_cell,
    ),
    Scenario(
        "full-build",
        "the disk is full in the build",
        "the engine's disk filled up to 200, 1,000 and 1,600 KB",
        disks.fill_in_build,
    ),
    Scenario(
        "full-scratch",
        "the disk is full in scratch",
        "the engine's disk filled up to 24 MB, sessions of 4 MB",
        disks.fill_in_scratch,
    ),
    Scenario(
        "full-results",
        "the disk is full in results",
        "results/ on a disk of 64 KB",
        disks.fill_results,
    ),
    Scenario(
        "removed",
        "somebody removes a cell's container",
        "`docker rm --force` within a second of its start",
        meddling.remove_container,
    ),
    Scenario(
        "killed",
        "somebody kills a cell's container",
        "`docker kill` within a second of its start",
        meddling.kill_container,
    ),
    Scenario(
        "images",
        "somebody removes the images",
        "`docker rmi --force` of all of them between two cells",
        meddling.remove_images,
    ),
    Scenario(
        "two",
        "two runs at once",
        "a second compare in another clone",
        turns.wait_for_each_other,
    ),
    Scenario(
        "no-wait",
        "two runs at once, one of which would not wait",
        "a second compare with --no-wait",
        turns.refuse_to_wait,
    ),
    Scenario(
        "holder",
        "the run that is waited for is killed",
        "SIGKILL while a second one waits",
        turns.go_on_after_a_kill,
    ),
)
