"""The clients' API in parts, each loaded when it is first asked for something."""
