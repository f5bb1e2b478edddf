"""One session from start to end: the pump, workers, timers."""
