"""The page that shows how all of it is."""

import json
from pathlib import Path
from typing import Final

import pulumi_gcp as gcp

from .settings import Settings

SOURCE: Final = Path(__file__).parents[2] / "observability" / "google-dashboard.json"


def dashboard(settings: Settings) -> None:
    """Declare the dashboard of functions, queue and workers."""
    gcp.monitoring.Dashboard(
        "parley",
        project=settings.project,
        # Anew, without spaces: the provider compares texts.
        dashboard_json=json.dumps(json.loads(SOURCE.read_text())),
    )
