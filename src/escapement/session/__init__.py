"""The sessions: pumps that drive the machine, workers that converse and write, timers."""
