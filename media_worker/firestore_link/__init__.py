"""Firestore as the worker sees it: claims an epoch, watches, reports back."""
