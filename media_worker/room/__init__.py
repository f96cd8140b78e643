"""A Space's media plane: reconciles peers with the desired state and mixes."""
