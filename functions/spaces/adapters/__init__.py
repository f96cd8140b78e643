"""The ports of `spaces.service`, each on one technology."""
