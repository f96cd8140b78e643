"""Seeded mutation fuzzing of what the network and clients may send; `make fuzz`."""
