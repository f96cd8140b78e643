"""The one public port: web client, API, live edge, and what only a laptop has."""
