"""From what a person types to a request; from an error to one line and an exit code."""
