"""The nouns that are stored, their units, the errors, and what was asked for."""
