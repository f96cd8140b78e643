"""What we install is what was locked, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKED = sorted(
    path
    for folder in ("functions", "media_worker", "infra", "tests")
    for path in (ROOT / folder).rglob("requirements.txt")
)
# Requirements of one name in a lock file: name==version, then its hashes.
ENTRY = re.compile(
    r"^([\w.\[\]-]+)==([\w.+!-]+)( ;.*?)? \\\n((?:    --hash=.*\n)+)", re.M
)


@pytest.mark.parametrize("path", LOCKED, ids=lambda p: p.parent.name)
def test_each_requirement_is_locked_by_hash(path: Path) -> None:
    """
    One exact version and its hashes each; no URL, no index, no editable path.
    """
    text = path.read_text()
    entries = ENTRY.findall(text)
    lines = [line for line in text.splitlines() if re.match(r"[\w-]", line)]

    assert len(entries) == len(lines) > 0
    assert all("sha256:" in hashes for *_, hashes in entries)
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_units_agree_on_versions() -> None:
    """
    What tests ran with is what is deployed.
    """
    versions: dict[str, set[tuple[str, str]]] = {}
    for path in LOCKED:
        if path.parent.name in ("cloud", "security"):  # environments of their own
            continue
        for name, version, marker, _ in ENTRY.findall(path.read_text()):
            versions.setdefault(name + marker, set()).add((name, version))

    assert {name for name, found in versions.items() if len(found) > 1} == set()


def test_each_dependency_is_named() -> None:
    """
    Every group of pyproject.toml that a unit installs is compiled.
    """
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    script = (ROOT / "infra" / "lock.sh").read_text()

    compiled = set(re.findall(r"^compile (\w+)", script, re.MULTILINE))

    assert compiled == set(groups)


def test_images_install_what_is_locked() -> None:
    """
    Nothing enters an image without its hash.
    """
    for file in (ROOT / "infra" / "containers").glob("*.Containerfile"):
        installs = re.findall(r"pip install[^&]*", file.read_text())
        assert installs
        assert all("--require-hashes" in each for each in installs)
