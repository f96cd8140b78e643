"""Fan-out: one encoded frame becomes a packet for every hearer."""
