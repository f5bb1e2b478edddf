"""The host: cgroups, files, locks, signals, facts."""
