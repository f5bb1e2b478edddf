"""All faults, in the order of the table."""

from tests.faults.kills import kill_in_a_chain, kill_often
from tests.faults.scenario import Scenario

SCENARIOS = (
    Scenario(
        "kills",
        "the tool is killed",
        "SIGKILL at random moments of a compare, of 10 cells; each fourth has a build to make",
        kill_often,
        longest_s=1800,
    ),
    Scenario(
        "chain",
        "the tool is killed again and again",
        "SIGKILL at random moments of one run, until it completes",
        kill_in_a_chain,
    ),
)
