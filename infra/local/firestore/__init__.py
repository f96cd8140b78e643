"""Embedded Firestore: the real protocol over SQLite, as strict as production."""
