"""Workers that fan out what a Space's origin worker mixes."""
