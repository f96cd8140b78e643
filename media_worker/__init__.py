"""Parley's media worker: one process that runs the audio of one live Space."""
