"""The mock model: answers with tokens on a known schedule and measures its own lag."""
