"""Parley's cloud, described once: what `pulumi up` makes."""
