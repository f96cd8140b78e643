"""What a worker is told of recordings: all of it, or nothing."""

from pathlib import Path

import pytest

from media_worker.config import RECORDING, ConfigError, RecordingConfig
from tests.stems import recording_settings


def test_all_settings_make_a_worker_that_records() -> None:
    """
    The four settings are read; none at all is a worker that cannot record.
    """
    config = RecordingConfig.from_env(recording_settings(Path("/data")))

    assert config is not None
    assert config.recordings_url == "file:///data/objects"
    assert config.spool_dir == Path("/data/spool")
    assert RecordingConfig.from_env({}) is None


@pytest.mark.parametrize("name", RECORDING)
def test_a_missing_setting_is_named(name: str) -> None:
    """
    Half a configuration is refused, and says what is missing.
    """
    env = recording_settings(Path("/data"))
    del env[name]

    with pytest.raises(ConfigError, match=f"missing: {name}"):
        RecordingConfig.from_env(env)


def test_keys_need_a_store_of_their_own() -> None:
    """
    Keys beside what they seal could not be destroyed apart from it.
    """
    env = recording_settings(Path("/data"))
    env["PARLEY_RECORDING_KEYS_URL"] = env["PARLEY_RECORDINGS_URL"]

    with pytest.raises(ConfigError, match="store of its own"):
        RecordingConfig.from_env(env)
