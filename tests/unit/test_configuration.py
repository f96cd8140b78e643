"""`infra/configuration.md` tells every setting, and examples that can be read."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from media_worker.agones import UDP_BINDS
from media_worker.config import RELAY
from media_worker.config import Config as WorkerConfig
from spaces.config import Config

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "infra/configuration.md"
NAME: Final = re.compile(r"PARLEY_[A-Z0-9_]*[A-Z0-9]")
_EXAMPLE: Final = r"(?:`(.*)`|\((?:a secret|PEM)\))"
ROW: Final = re.compile(rf"\| `(PARLEY_\w+)` \| (.*) \| {_EXAMPLE} \|")
SECRET: Final = "0123456789" * 4


def sections() -> Mapping[str, str]:
    """Return the page's text by the words of its headings."""
    parts = re.split(r"^#+ (.+)$", PAGE.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def examples(heading: str, *, needed_only: bool = False) -> dict[str, str]:
    """Return the examples below one heading; secrets get a value of their length."""
    rows = ROW.findall(sections()[heading])
    return {
        name: example or SECRET
        for name, told, example in rows
        if told.startswith("needed") or not needed_only
    }


def names_in(*folders: str) -> set[str]:
    """Return the names of settings that code in these folders speaks of."""
    return {name for folder in folders for name in _names(ROOT / folder)}


def _names(folder: Path) -> Iterator[str]:
    for module in folder.rglob("*.py"):
        for name in NAME.findall(module.read_text()):
            if not name.startswith("PARLEY_LOCAL"):
                yield name


def test_every_setting_has_a_row_and_every_row_a_setting() -> None:
    told = {name for name, _, _ in ROW.findall(PAGE.read_text())}
    assert told == names_in("functions", "media_worker")


def test_every_row_of_a_table_is_understood() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if "| `PARLEY_" in line]
    assert [line for line in rows if not ROW.fullmatch(line)] == []


@pytest.mark.parametrize("launcher", ["agones", "container"])
@pytest.mark.parametrize("needed_only", [False, True])
def test_the_functions_read_their_examples(launcher: str, needed_only: bool) -> None:
    config = Config.from_env(
        examples("Functions", needed_only=needed_only)
        | examples(f"Launcher `{launcher}`", needed_only=needed_only)
        | {"PARLEY_LAUNCHER": launcher}
    )
    assert config.public_url == "https://parley.example"


@pytest.mark.parametrize("needed_only", [False, True])
def test_a_worker_reads_its_examples(needed_only: bool) -> None:
    env = examples("Worker", needed_only=needed_only)
    config = WorkerConfig.from_env(env)
    assert config.relay == (None if needed_only else 0)
    assert (config.recording is None) is needed_only


def test_a_worker_of_the_examples_is_a_relay() -> None:
    env = examples("Worker")
    assert env["PARLEY_WORKLOAD"] == RELAY
    assert json.loads(env[UDP_BINDS])


@pytest.mark.parametrize("heading", ["Functions", "Worker"])
def test_what_is_needed_is_said_to_be_needed(heading: str) -> None:
    env = examples(heading, needed_only=True)
    if heading == "Functions":
        env |= examples("Launcher `agones`", needed_only=True)
    read = Config.from_env if heading == "Functions" else WorkerConfig.from_env
    for name in env:
        with pytest.raises(Exception, match=name):
            read({each: value for each, value in env.items() if each != name})
