"""Cloud Tasks on SQLite: the real protocol, nothing lost by a crash."""
