"""The statechart machine against an independent implementation, on random charts."""
