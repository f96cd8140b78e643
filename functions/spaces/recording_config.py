"""Where recordings are kept, for how long, and who vouches for them."""

from dataclasses import dataclass
from typing import Any, Final

from .environment import EnvironmentReader

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 3_650


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingConfig:
    """
    Settings of recording.

    Args:
        recordings_url: An object store's URL: "file:///…", "s3://…", "gs://…".
        keys_url: Another one, without soft delete or versioning.
        proof_private_key: Ed25519, PEM; signs receipts and manifests.
        retired_proof_keys: Public keys, PEM, that did so before.
        kept_days: From when a recording was first ready.
        playback_secret: Of the embedded gateway; None where the store itself signs.
    """

    recordings_url: str
    keys_url: str
    proof_private_key: str
    retired_proof_keys: tuple[str, ...]
    kept_days: int
    playback_secret: str | None


def read_recording(reader: EnvironmentReader, *, local: bool) -> RecordingConfig:
    """Read the environment; what is wrong there the reader keeps."""
    days = reader.json(
        "PARLEY_RECORDING_DAYS", _days, default=str(DEFAULT_DAYS), form="30"
    )
    retired = reader.json(
        "PARLEY_PROOF_RETIRED_KEYS",
        lambda keys: tuple(str(key) for key in keys),
        default="[]",
        form='["-----BEGIN PUBLIC KEY-----…"]',
    )
    return RecordingConfig(
        recordings_url=reader.text("PARLEY_RECORDINGS_URL"),
        keys_url=reader.text("PARLEY_RECORDING_KEYS_URL"),
        proof_private_key=reader.text("PARLEY_PROOF_PRIVATE_KEY"),
        retired_proof_keys=retired or (),
        kept_days=days or DEFAULT_DAYS,
        playback_secret=reader.text("PARLEY_LOCAL_PLAYBACK_SECRET") if local else None,
    )


def _days(value: Any) -> int:
    if type(value) is not int or not 1 <= value <= MAX_DAYS:
        raise ValueError(value)
    return value
