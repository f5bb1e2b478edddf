"""The supervisor: starts and samples the workers, and prints the protocol."""
