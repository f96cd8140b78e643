"""What the crowd reads from the object store instead of from the worker."""
