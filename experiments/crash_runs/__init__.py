"""Sessions killed at random moments, and resumed."""
