"""Buckets, and the key that wraps what opens recordings."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi_gcp as gcp

from .permissions import Bucket
from .settings import Settings

KEPT_DAYS: Final = 3_650  # the longest that PARLEY_RECORDING_DAYS allows
KEY_ROTATION_S: Final = 90 * 24 * 3600


def buckets(settings: Settings) -> Mapping[str, Any]:
    """
    Return the buckets by `Bucket`.

    None keeps what was deleted: erasing a voice, or the end of a Space, is the end of
    its objects too.
    """
    return {
        # Segments are deleted by the worker; what a crash left goes in a day.
        Bucket.LIVE: _bucket(settings, Bucket.LIVE, days=1),
        Bucket.RECORDINGS: _bucket(settings, Bucket.RECORDINGS, days=KEPT_DAYS),
        Bucket.RECORDING_KEYS: _bucket(settings, Bucket.RECORDING_KEYS, days=KEPT_DAYS),
        Bucket.SOURCE: _bucket(settings, Bucket.SOURCE, days=30),
    }


def _bucket(settings: Settings, kind: Bucket, *, days: int) -> Any:
    public = kind is Bucket.LIVE
    return gcp.storage.Bucket(
        kind.value,
        name=settings.bucket(kind),
        project=settings.project,
        location=settings.region,
        uniform_bucket_level_access=True,
        public_access_prevention="inherited" if public else "enforced",
        versioning=gcp.storage.BucketVersioningArgs(enabled=False),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=0
        ),
        lifecycle_rules=[
            gcp.storage.BucketLifecycleRuleArgs(
                action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
                condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=days),
            ),
            gcp.storage.BucketLifecycleRuleArgs(
                action=gcp.storage.BucketLifecycleRuleActionArgs(
                    type="AbortIncompleteMultipartUpload"
                ),
                condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=1),
            ),
        ],
        cors=[_live_cors()] if public else _playback_cors(settings, kind),
    )


def _live_cors() -> Any:
    return gcp.storage.BucketCorArgs(
        origins=["*"], methods=["GET", "HEAD"], max_age_seconds=3600
    )


def _playback_cors(settings: Settings, kind: Bucket) -> list[Any]:
    if kind is not Bucket.RECORDINGS:
        return []
    return [
        gcp.storage.BucketCorArgs(
            origins=[f"https://{settings.domain}"],
            methods=["GET", "HEAD"],
            response_headers=["Content-Range", "ETag"],
            max_age_seconds=3600,
        )
    ]


def wrapping_keys(settings: Settings) -> Mapping[str, Any]:
    """Return the KMS key that wraps data keys; what it wraps is what is destroyed."""
    ring = gcp.kms.KeyRing(
        "parley", name="parley", project=settings.project, location=settings.region
    )
    key = gcp.kms.CryptoKey(
        "recordings",
        name="recordings",
        key_ring=ring.id,
        purpose="ENCRYPT_DECRYPT",
        rotation_period=f"{KEY_ROTATION_S}s",
        version_template=gcp.kms.CryptoKeyVersionTemplateArgs(
            algorithm="GOOGLE_SYMMETRIC_ENCRYPTION", protection_level="HSM"
        ),
    )
    return {"recordings": key}
