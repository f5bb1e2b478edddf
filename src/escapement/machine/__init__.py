"""The statechart machine: steps over a compiled chart, without I/O."""
