"""What a person typed, as text, before any of it is settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.flags import ON, SETTINGS

_ARM = "sc-mem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a person typed, as text.

    Args:
        flags: Settings by name; None where a flag was not given.
        arm: Of both sides; `base_arm` and `branch_arm` of one of them.
        env: ``K=V`` for the cells of both sides; `base_env` and `branch_env` for one of them.
        invoke: Invoke's configuration.
        repo: A folder of the checkout; None for the current one.
        resume: The folder of a run to go on with; None for a new one.
    """

    arm: str = _ARM
    base_arm: str | None = None
    branch_arm: str | None = None
    flags: Mapping[str, str | None] = field(default_factory=dict)
    env: Sequence[str] = ()
    base_env: Sequence[str] = ()
    branch_env: Sequence[str] = ()
    base: str | None = None
    main: str | None = None
    repo: str | None = None
    resume: str | None = None
    invoke: Mapping[str, object] = field(default_factory=dict)


def sort_words(given: Mapping[str, object], invoke: Mapping[str, object]) -> Typed:
    """Sort what a task was given by its flags.

    Args:
        given: By the flag's name: text, a switch, or a list of texts.
        invoke: Invoke's configuration.
    """

    def text(name: str) -> str:
        value = given.get(name, "")
        if isinstance(value, bool):  # a switch that was not touched says nothing
            return "" if value is (name in ON) else "yes" if value else "no"
        return str(value)

    def texts(name: str) -> list[str]:
        value = given.get(name)
        return [str(item) for item in value] if isinstance(value, list) else []

    return Typed(
        arm=text("arm") or _ARM,
        base_arm=text("base_arm") or None,
        branch_arm=text("branch_arm") or None,
        flags={name: text(name) for name in SETTINGS},
        env=texts("env"),
        base_env=texts("base_env"),
        branch_env=texts("branch_env"),
        base=text("base") or None,
        main=text("main") or None,
        repo=text("repo") or None,
        resume=text("resume") or None,
        invoke=invoke,
    )
