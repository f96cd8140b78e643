"""`make bench`: every claim of speed or memory, against a peer or a floor."""
