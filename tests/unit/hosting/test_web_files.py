"""The web client's files: what holds for all of them, without a browser."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import spaces
from spaces.domain.errors import SpaceError
from spaces_contract.control import ControlError

PUBLIC = Path(__file__).parents[3] / "infra" / "hosting" / "public"
MODULES = sorted(PUBLIC.rglob("*.js"))
MAX_LINES = 250
# Whole-server answers, to which the client has one message.
GENERIC_PREFIXES = ("sdp-",)
# Said to programs, never to a person with a browser.
NOT_FOR_PEOPLE = {"invalid-task-token", "not-configured"}


def error_codes() -> set[str]:
    """Return the code of every refusal that the functions know."""
    for module in pkgutil.walk_packages(spaces.__path__, "spaces."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    declared = {error.__dict__.get("code") for error in _descendants(SpaceError)}
    return {code for code in declared if isinstance(code, str)} | set(ControlError)


def _descendants(error: type[SpaceError]) -> Iterator[type[SpaceError]]:
    for child in error.__subclasses__():
        yield child
        yield from _descendants(child)


def test_every_refusal_is_explained_to_people() -> None:
    """
    A code that the API can answer has a message of its own that says what to do.
    """
    topics = sorted((PUBLIC / "problems").glob("*.js"))
    text = "\n".join(topic.read_text() for topic in topics)
    explained = set(re.findall(r'^  "?([a-z0-9-]+)"?: [{A-Z]', text, re.MULTILINE))

    unexplained = {
        code
        for code in error_codes() - explained - NOT_FOR_PEOPLE
        if not code.startswith(GENERIC_PREFIXES)
    }

    assert unexplained == set()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_modules_are_small_and_type_checked(module: Path) -> None:
    """
    Each module asks for type checks, says what it is for, and fits in the head.
    """
    lines = module.read_text().splitlines()

    assert lines[0] == "// @ts-check"
    assert lines[1].startswith("/**")
    assert len(lines) <= MAX_LINES


def test_every_import_is_there() -> None:
    """
    Plain ES modules have no bundler that would miss a file: each import resolves.
    """
    for module in MODULES:
        for target in re.findall(r'^import .*?from "(.+?)";', module.read_text(), re.M):
            assert (module.parent / target).is_file(), f"{module.name}: {target}"


def test_the_page_needs_no_inline_code() -> None:
    """
    The content security policy allows files of ours alone, so the page has no inline
    script, style or handler, and names no other host.
    """
    page = (PUBLIC / "index.html").read_text()

    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=", page) == []
    assert re.findall(r'(?:src|href)="(?!/|#|")', page) == []


def test_every_icon_is_drawn() -> None:
    """
    Each icon that a module names is in the sprite.
    """
    drawn = set(
        re.findall(r'<symbol id="([a-z-]+)"', (PUBLIC / "icons.svg").read_text())
    )
    text = "\n".join(module.read_text() for module in MODULES)
    pattern = r'(?:\bicon\(|icon: |symbol: |symbol = |setIcon\([^";]*)"([a-z-]+)"'

    named = set(re.findall(pattern, text))

    assert named
    assert named <= drawn
