"""The HTTP API: what crosses the edge is checked here and trusted inside."""
