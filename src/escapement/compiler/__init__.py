"""Charts compiled into a table."""
