"""The tables of the arms and of the environment variables of the probe."""

from harness.model.nouns import Arm
from harness.report.markdown import table

_ARMS = {
    Arm.SC_CKPT: "the runtime with checkpoints on disk and a transcript, as in production",
    Arm.SC_MEM: "the same with an in-memory store: isolates the cost of engine and queue",
    Arm.HAND: "a plain loop over the same mock, without a runtime: the floor",
}
VARIABLES = (
    (
        "SCALE_VT=1",
        "one asyncio task per session (default of the image); 0: one OS thread per session",
    ),
    (
        "SCALE_STATE_KB=N",
        "each session carries N KB of state, for checkpoints of a realistic size",
    ),
    ("SCALE_QSLEEP_MS=N", "the runtime's pump polls every N ms instead of waking on arrival"),
    (
        "SCALE_PACING=sleep",
        "each token is timed from the delivery of the last one; server: from the request",
    ),
    ("SCALE_PROCS=N", "spread the sessions over N processes (default 1)"),
    ("SCALE_CLOCK=virtual", "time jumps instead of passing: for exact costs, never for latency"),
    (
        "SCALE_INJECT_WORK=N",
        "inject a regression: N rounds of an integer loop at the end of each turn",
    ),
    ("SCALE_INJECT_THREADS=N", "inject a regression: each session holds N idle OS threads"),
    ("SCALE_INJECT_BYTES=N", "inject a regression: each session holds N bytes"),
    ("SCALE_INJECT_FAILING=N", "inject a regression: every Nth session fails at its end"),
    (
        "ESCAPEMENT_WORKERS=auto",
        "workers are asyncio tasks where possible; platform: threads; virtual: tasks",
    ),
)


def arms_text() -> str:
    """Return both tables."""
    arms = table(["arm", "description"], list(_ARMS.items()), words=("",))
    variables = table(["--env", "effect"], VARIABLES, words=("",))
    return f"{arms}\n\n{variables}"
