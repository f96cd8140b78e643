"""What the functions and the media worker must agree on.  Standard library only."""
