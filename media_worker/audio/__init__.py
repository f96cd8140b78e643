"""Samples and codecs: jitter buffer, Opus, mixer, levels.  Opens no socket."""
