"""Use cases of the functions, and the ports which they need."""
