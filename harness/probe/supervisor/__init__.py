"""The supervisor starts the workers, samples them and prints the protocol."""
