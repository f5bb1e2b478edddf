"""The arms and the toggles as people read them."""

from harness.model.nouns import ARM_SHAPES
from harness.report.markdown import table

TOGGLES = (
    (
        "SCALE_VT=1",
        "one asyncio task a session (the image's default); 0 is one OS thread a session",
    ),
    (
        "SCALE_STATE_KB=N",
        "each session carries N KB of state, so that checkpoints are realistically large",
    ),
    (
        "SCALE_QSLEEP_MS=N",
        "the runtime's pump polls each N ms instead of waking on arrival",
    ),
    (
        "SCALE_PACING=sleep",
        "the next token is timed from the delivery of this one; server: from the request",
    ),
    ("SCALE_PROCS=N", "the sessions are dealt out to N processes (default 1)"),
    ("SCALE_CLOCK=virtual", "time jumps instead of passing: for exact costs, never for latency"),
    (
        "SCALE_INJECT_WORK=N",
        "a regression on order: N rounds of a fixed integer loop at the end of each turn",
    ),
    ("SCALE_INJECT_THREADS=N", "a regression on order: each session holds N idle OS threads"),
    ("SCALE_INJECT_BYTES=N", "a regression on order: each session holds N bytes"),
    ("SCALE_INJECT_FAILING=N", "a regression on order: every Nth session fails at its end"),
    (
        "ESCAPEMENT_WORKERS=auto",
        "the workers of a session are tasks where they can be; platform: threads; virtual: tasks",
    ),
)


def arms_text() -> str:
    """Return both tables."""
    arms = table(
        ["arm", "what it is"], [[arm, shape] for arm, shape in ARM_SHAPES.items()], words=("",)
    )
    toggles = table(["--env", "what it does"], [list(row) for row in TOGGLES], words=("",))
    return f"{arms}\n\n{toggles}"
