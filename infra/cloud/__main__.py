"""Pulumi's entry point: the whole cloud, from the stack's configuration."""

import pulumi  # type: ignore[import-not-found]  # installed by `make cloud`

# Pulumi runs this file with its folder, not the repository's, on the path.
from parley_cloud.deployment import deploy  # type: ignore[import-not-found]
from parley_cloud.settings import Settings  # type: ignore[import-not-found]

for name, value in deploy(Settings.from_config(pulumi.Config("parley"))).items():
    pulumi.export(name, value)
