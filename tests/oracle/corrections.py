"""Where python-statemachine 3.2 differs from the Recommendation, and the oracle put right there."""

from collections.abc import Callable
from enum import Enum
from typing import Any

from statemachine import State, StateChart
from statemachine.engines.sync import SyncEngine
from statemachine.event_data import TriggerData
from statemachine.orderedset import OrderedSet
from statemachine.transition import Transition


class Correction(Enum):
    """A difference of the oracle's, with what the Recommendation says."""

    ORDER = "document order: siblings after a compound state are numbered as if it held nothing"
    SELECTION = "appendix D, selectTransitions: atomic states are asked in order of entry"
    RECALL = "3.10: content of a transition to a recorded history is run again upon entry"
    DEEP = "appendix D, exitStates: a deep history records all descendants, not the atomic ones"
    INITIAL = "appendix D, interpret: several initial states are entered one by one"
    TOP_PARALLEL = "3.7: a top-level parallel that is done ends the session"


class _Selection(SyncEngine):
    def _select_transitions(
        self, trigger_data: TriggerData, predicate: Callable[..., bool]
    ) -> OrderedSet[Transition]:
        enabled = OrderedSet[Transition]()
        active = sorted(self.sm.configuration, key=lambda state: state.document_order)
        for state in active:
            if state.is_atomic:
                found = self._first_transition_that_matches(state, trigger_data, predicate)
                if found is not None:
                    enabled.add(found)
        return self._filter_conflicting_transitions(enabled)


class _Recall(SyncEngine):
    def _add_history_states_to_enter(
        self, info: Any, state: Any, entered: Any, defaults: Any, content: dict[str, Any]
    ) -> None:
        super()._add_history_states_to_enter(info, state, entered, defaults, content)
        content[state.parent.id] = content[state.parent.id][1:]


class _Deep(SyncEngine):
    def _prepare_exit_states(self, enabled_transitions: list[Transition]) -> Any:
        before = dict(self.sm.history_values)
        prepared = super()._prepare_exit_states(enabled_transitions)
        for name, states in self.sm.history_values.items():
            if states is not before.get(name) and any(state.is_atomic for state in states):
                past = next(one for one in _states(self.sm.states) if one.id == name)
                if past.type.is_deep:
                    self.sm.history_values[name] = [one for one in states if one.is_atomic]
        return prepared

    def compute_entry_set(
        self, transitions: Any, entered: OrderedSet[Any], defaults: Any, content: Any
    ) -> None:
        for transition in transitions:
            own = OrderedSet[Any]()
            super().compute_entry_set([transition], own, defaults, content)
            domain = self.get_transition_domain(transition)
            for info in own:
                if domain is None or info.state.is_descendant(domain):
                    entered.add(info)


class _Initial(SyncEngine):
    def _initial_transitions(self, trigger_data: TriggerData) -> list[Transition]:
        first, *rest = super()._initial_transitions(trigger_data)
        first._targets += [one.target for one in rest if one.target]
        return [first]


class _TopParallel(SyncEngine):
    def _check_root_final_state(self) -> None:
        self._root_parallel_final_pending = None


_ENGINES: dict[Correction, type[SyncEngine]] = {
    Correction.SELECTION: _Selection,
    Correction.RECALL: _Recall,
    Correction.DEEP: _Deep,
    Correction.INITIAL: _Initial,
    Correction.TOP_PARALLEL: _TopParallel,
}


def correct(
    chart: type[StateChart], corrections: tuple[Correction, ...], order: list[str]
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
    bases = tuple(_ENGINES[one] for one in corrections if one in _ENGINES) or (SyncEngine,)
    engine = type("Engine", bases, {})
    setattr(chart, "_get_engine", lambda self: engine(self))


def _states(states: Any) -> list[State]:
    return [one for state in states for one in (state, *state.history, *_states(state.states))]
