"""Parley's functions: they decide who may do what in a Space, and store it."""
