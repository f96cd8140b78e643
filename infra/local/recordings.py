"""What the parts of one stack know of recordings: stores, keys and secrets."""

from dataclasses import dataclass

from .folder import DataFolder
from .keys import KeyFolder, private_pem


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRecordings:
    """
    Environment of those who record, render and play.

    Args:
        proof_private_key: Ed25519, PEM; signs receipts and manifests.
        playback_secret: Shared by the functions, which sign URLs, and the gateway.
    """

    folder: DataFolder
    proof_private_key: str
    playback_secret: str

    @classmethod
    def of(cls, folder: DataFolder, keys: KeyFolder) -> "LocalRecordings":
        """Return those of a data folder; raises as `KeyFolder` does."""
        return cls(
            folder=folder,
            proof_private_key=private_pem(keys.proof_key()),
            playback_secret=keys.playback_secret(),
        )

    def functions_environment(self) -> dict[str, str]:
        """Return what the functions need to know."""
        return self._stores() | {
            "PARLEY_PROOF_PRIVATE_KEY": self.proof_private_key,
            "PARLEY_LOCAL_PLAYBACK_SECRET": self.playback_secret,
        }

    def worker_environment(self) -> dict[str, str]:
        """Return what a room's worker needs to know; it signs nothing."""
        return self._stores() | {
            "PARLEY_KEY_ENCRYPTION_URL": (
                self.folder.key_encryption / "keys.json"
            ).as_uri(),
            "PARLEY_SPOOL_DIR": str(self.folder.spool),
        }

    def render_environment(self) -> dict[str, str]:
        """Return what a render job needs to know."""
        return self.worker_environment() | {
            "PARLEY_PROOF_PRIVATE_KEY": self.proof_private_key
        }

    def _stores(self) -> dict[str, str]:
        return {
            "PARLEY_RECORDINGS_URL": self.folder.objects_url,
            "PARLEY_RECORDING_KEYS_URL": self.folder.recording_keys_url,
        }
