"""Sessions: pumps that drive the machine, conversation workers, timers."""
