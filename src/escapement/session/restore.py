"""From a checkpoint back to a place in the chart."""

from escapement.errors import CheckpointError
from escapement.machine.configuration import Place
from escapement.machine.table import Table
from escapement.storage.store import Checkpoint


def restore(table: Table, record: Checkpoint, session_id: str) -> Place:
    """Find the place that a record tells of.

    Args:
        table: The chart that the session is to go on in.
        record: Where it was.
        session_id: The session, for the message.

    Raises:
        CheckpointError: The record is of another chart, or of states that this one hasn't.
    """
    place = table.place(record.configuration, record.history)
    if record.chart_id == table.chart.id and place is not None:
        return place
    states = ", ".join(record.configuration)
    message = (
        f"{record.source}: session {session_id!r} was in chart {record.chart_id!r}, state {states},"
        f" which is no state of chart {table.chart.id!r}; run it with its own chart, or under"
        " another session id"
    )
    raise CheckpointError(message)
