"""Ports on Firestore: documents, their codecs, transactions, and what they cost."""
