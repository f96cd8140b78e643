"""Processes for listeners alone: how they are started, filled, fed and ended."""
