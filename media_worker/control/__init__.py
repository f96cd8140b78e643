"""The private HTTP API: signalling from the functions, health, metrics."""
