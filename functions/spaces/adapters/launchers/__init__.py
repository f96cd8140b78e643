"""`Launcher` on different kinds of machines."""
