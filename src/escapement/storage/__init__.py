"""The stores of checkpoints, and the files of checkpoints and transcripts."""
