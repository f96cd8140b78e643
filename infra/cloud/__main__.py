"""Pulumi's entry point: the whole cloud, from the stack's configuration."""

import pulumi

# Pulumi runs this file with its folder, not the repository's, on the path.
from parley_cloud.deployment import deploy
from parley_cloud.settings import Settings

for name, value in deploy(Settings.from_config(pulumi.Config("parley"))).items():
    pulumi.export(name, value)
