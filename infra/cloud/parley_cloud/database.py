"""Firestore: the database, its indexes and expiries, and the rules for clients."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from .settings import REPOSITORY, Settings

INDEXES: Final = REPOSITORY / "infra" / "firestore.indexes.json"
RULES: Final = REPOSITORY / "infra" / "firestore.rules"


def database(settings: Settings) -> list[Any]:
    """Make the database; return the indexes that queries need to be answered."""
    made = gcp.firestore.Database(
        "firestore",
        name="(default)",
        project=settings.project,
        location_id=settings.region,
        type="FIRESTORE_NATIVE",
        concurrency_mode="PESSIMISTIC",
        # Seven days of every change: what an operator's mistake can be undone by.  No
        # key of a recording is ever in here.
        point_in_time_recovery_enablement="POINT_IN_TIME_RECOVERY_ENABLED",
        delete_protection_state="DELETE_PROTECTION_ENABLED",
    )
    gcp.firestore.BackupSchedule(
        "daily",
        project=settings.project,
        database=made.name,
        retention=f"{14 * 24 * 3600}s",
        daily_recurrence=gcp.firestore.BackupScheduleDailyRecurrenceArgs(),
    )
    declared = json.loads(INDEXES.read_text())
    _rules(settings, made)
    return [
        *(_index(row, settings, made) for row in declared["indexes"]),
        *(_field(row, settings, made) for row in declared["fieldOverrides"]),
    ]


def _index(row: Mapping[str, Any], settings: Settings, made: Any) -> Any:
    fields = [
        gcp.firestore.IndexFieldArgs(
            field_path=field["fieldPath"],
            order=field.get("order"),
            array_config=field.get("arrayConfig"),
        )
        for field in row["fields"]
    ]
    paths = "-".join(field["fieldPath"] for field in row["fields"])
    return gcp.firestore.Index(
        f"{row['collectionGroup']}-{row['queryScope'].lower()}-{paths}",
        project=settings.project,
        database=made.name,
        collection=row["collectionGroup"],
        query_scope=row["queryScope"],
        fields=fields,
    )


def _field(row: Mapping[str, Any], settings: Settings, made: Any) -> Any:
    indexes = [
        gcp.firestore.FieldIndexConfigIndexArgs(
            query_scope=index["queryScope"],
            order=index.get("order"),
            array_config=index.get("arrayConfig"),
        )
        for index in row["indexes"]
    ]
    return gcp.firestore.Field(
        f"{row['collectionGroup']}-{row['fieldPath']}",
        project=settings.project,
        database=made.name,
        collection=row["collectionGroup"],
        field=row["fieldPath"],
        index_config=gcp.firestore.FieldIndexConfigArgs(indexes=indexes),
        ttl_config=gcp.firestore.FieldTtlConfigArgs() if row.get("ttl") else None,
    )


def _rules(settings: Settings, made: Any) -> None:
    ruleset = gcp.firebaserules.Ruleset(
        "firestore",
        project=settings.project,
        source=gcp.firebaserules.RulesetSourceArgs(
            files=[
                gcp.firebaserules.RulesetSourceFileArgs(
                    name="firestore.rules", content=RULES.read_text()
                )
            ]
        ),
        opts=pulumi.ResourceOptions(depends_on=[made]),
    )
    gcp.firebaserules.Release(
        "firestore",
        name="cloud.firestore",
        project=settings.project,
        ruleset_name=ruleset.name,
    )
