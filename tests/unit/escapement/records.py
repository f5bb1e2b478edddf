"""A checkpoint with a value in every field."""

from escapement import Checkpoint, Event, Timer

RECORD = Checkpoint(
    "chart",
    ("a", "b"),
    {"n": 1, "text": "é"},
    (Event("go", {"x": [1]}),),
    {"before": ("a", "c")},
    (Timer(Event("late", [1]), 1796125000.25, "t"), Timer(Event("later"), 1796125001)),
)
