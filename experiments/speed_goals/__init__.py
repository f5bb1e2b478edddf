"""The speed goals: definitions, run, table."""
