"""Corrections of python-statemachine 3.2 where it differs from the standard."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, cast

from statemachine import State, StateChart
from statemachine.engines.base import StateTransition
from statemachine.engines.sync import SyncEngine
from statemachine.event_data import TriggerData
from statemachine.orderedset import OrderedSet
from statemachine.transition import Transition

Internal = Any  # what the oracle doesn't type


class Correction(Enum):
    """The known differences of the oracle; each has its own test."""

    ORDER = "numbers siblings after a compound state as if that held nothing (document order)"
    HISTORY_CONTENT = "runs a transition's content again in the parent of its history (3.10)"
    SELECTION = "asks atomic states in order of entry (appendix D, selectTransitions)"
    HISTORY_TARGETS = "enters the first of several default targets of a history only (3.10)"
    DEEP_HISTORY = "records all descendants for a deep history (appendix D, exitStates)"
    INITIAL = "enters several initial states one by one (appendix D, interpret)"
    INTERNAL_SELF = "does not leave an atomic state that targets itself internally (3.13)"
    TOP_PARALLEL = "ends the session when a top-level parallel is done (3.7)"


def correct(
    chart: type[StateChart[Internal]], corrections: Iterable[Correction], order: list[str]
) -> None:
    """Make the oracle do what the Recommendation says.

    Args:
        chart: The oracle's class for a chart.
        corrections: Where.
        order: The ids of its states, in document order.
    """
    if Correction.ORDER in corrections:
        for state in _states(chart.states):
            state.document_order = order.index(state.id)
    bases = tuple(_ENGINES[one] for one in corrections if one in _ENGINES)
    engine = type("Engine", bases or (SyncEngine,), {})
    setattr(chart, "_get_engine", _method(engine))  # noqa: B010  a method


def _method(engine: type[SyncEngine]) -> Callable[[StateChart[Internal]], SyncEngine]:
    def get_engine(machine: StateChart[Internal]) -> SyncEngine:
        return engine(machine)

    return get_engine


class _Selection(SyncEngine):
    def _select_transitions(
        self, trigger_data: TriggerData, predicate: Callable[..., bool]
    ) -> OrderedSet[Transition]:
        enabled = OrderedSet[Transition]()
        for state in sorted(self.sm.configuration, key=lambda one: one.document_order):
            if state.is_atomic:
                found = self._first_transition_that_matches(state, trigger_data, predicate)
                if found is not None:
                    enabled.add(found)
        return self._filter_conflicting_transitions(enabled)


class _HistoryContent(SyncEngine):
    def _add_history_states_to_enter(
        self,
        info: Internal,
        state: Internal,
        states_to_enter: Internal,
        states_for_default_entry: Internal,
        default_history_content: Internal,
    ) -> None:
        content = default_history_content
        super()._add_history_states_to_enter(
            info, state, states_to_enter, states_for_default_entry, content
        )
        content[state.parent.id] = content[state.parent.id][1:]


class _HistoryTargets(SyncEngine):
    def _add_history_states_to_enter(
        self,
        info: Internal,
        state: Internal,
        states_to_enter: Internal,
        states_for_default_entry: Internal,
        default_history_content: Internal,
    ) -> None:
        sets = (states_to_enter, states_for_default_entry, default_history_content)
        (default,) = state.transitions
        if state.id in self.sm.history_values or len(default.targets) == 1:
            super()._add_history_states_to_enter(info, state, *sets)
            return
        targets = [StateTransition(default, target) for target in default.targets]
        default_history_content[state.parent.id] = [info, targets[0]]
        engine = cast("Internal", self)
        for target in targets:
            engine.add_descendant_states_to_enter(target, *sets)
        for target in targets:
            engine.add_ancestor_states_to_enter(target, state.parent, *sets)


class _DeepHistory(SyncEngine):
    def _prepare_exit_states(self, enabled_transitions: list[Transition]) -> Internal:
        prepared = super()._prepare_exit_states(enabled_transitions)
        values = self.sm.history_values
        for past in _states(self.sm.states):
            if past.is_history and past.type.is_deep and past.id in values:
                values[past.id] = [state for state in values[past.id] if state.is_atomic]
        return prepared

    def compute_entry_set(
        self,
        transitions: Internal,
        states_to_enter: Internal,
        states_for_default_entry: Internal,
        default_history_content: Internal,
    ) -> None:
        for transition in transitions:
            own = OrderedSet[Internal]()
            cast("Internal", super()).compute_entry_set(
                [transition], own, states_for_default_entry, default_history_content
            )
            domain = self.get_transition_domain(transition)
            for info in own:
                # 3.13, entry set: what is active outside the domain is not entered again
                if domain is None or info.state.is_descendant(domain):
                    states_to_enter.add(info)


class _Initial(SyncEngine):
    def _initial_transitions(self, trigger_data: TriggerData) -> list[Transition]:
        first, *rest = cast("Internal", super())._initial_transitions(trigger_data)
        first._targets += [one.target for one in rest if one.target]
        return [cast("Transition", first)]


class _InternalSelf(SyncEngine):
    def get_transition_domain(self, transition: Transition) -> State | None:
        if transition.internal and transition.is_self:
            return self.find_lcca([transition.source, *transition.targets])
        return super().get_transition_domain(transition)


class _TopParallel(SyncEngine):
    def _check_root_final_state(self) -> None:
        self._root_parallel_final_pending = None


_ENGINES: dict[Correction, type[SyncEngine]] = {
    Correction.SELECTION: _Selection,
    Correction.HISTORY_CONTENT: _HistoryContent,
    Correction.HISTORY_TARGETS: _HistoryTargets,
    Correction.DEEP_HISTORY: _DeepHistory,
    Correction.INITIAL: _Initial,
    Correction.INTERNAL_SELF: _InternalSelf,
    Correction.TOP_PARALLEL: _TopParallel,
}


def _states(states: Internal) -> list[Internal]:
    return [one for state in states for one in (state, *state.history, *_states(state.states))]
