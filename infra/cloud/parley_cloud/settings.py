"""What differs from one deployment of the cloud to another."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

REPOSITORY: Final = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    A stack's configuration.

    Args:
        project_number: In the URLs of its functions.
        domain: Where clients reach the API and the web client.
        live_domain: Where they reach the live edge's CDN.
        monthly_budget_eur: Alerts come at half, at nine tenths, and at all of it.
    """

    project: str
    project_number: str
    region: str
    domain: str
    live_domain: str
    billing_account: str
    alert_email: str
    monthly_budget_eur: int

    @classmethod
    def from_config(cls, config: Any) -> Self:
        """Read Pulumi's configuration of the stack; it raises for what is missing."""
        return cls(
            project=config.require("project"),
            project_number=config.require("project_number"),
            region=config.require("region"),
            domain=config.require("domain"),
            live_domain=config.require("live_domain"),
            billing_account=config.require("billing_account"),
            alert_email=config.require("alert_email"),
            monthly_budget_eur=config.require_int("monthly_budget_eur"),
        )

    def bucket(self, kind: str) -> str:
        """Return the name of a bucket; all buckets of the world share their names."""
        return f"{self.project}-{kind}"
