"""Checkpoints and transcripts."""
