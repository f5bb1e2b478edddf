"""The worker: the measured process, which runs the sessions of one shard."""
