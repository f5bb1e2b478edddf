"""The supervisor: starts the workers, samples them from outside, prints the protocol."""
