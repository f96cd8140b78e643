"""Pure rules of Spaces: no clock, no randomness, no I/O."""
