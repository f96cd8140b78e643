"""What `make audit` makes of pip-audit's answers."""

from typing import Any

from infra.security.audit import NOT_AUDITED, REPOSITORY, UNITS, report_of, verdict


def sound(name: str) -> dict[str, Any]:
    """Return pip-audit's word on a package without known vulnerabilities."""
    return {"name": name, "version": "1.0", "vulns": []}


def vulnerable(name: str) -> dict[str, Any]:
    """Return its word on one with two."""
    found = [
        {"id": "PYSEC-1", "fix_versions": ["1.1"]},
        {"id": "CVE-2", "fix_versions": []},
    ]
    return {"name": name, "version": "1.0", "vulns": found}


def skipped(name: str) -> dict[str, Any]:
    """Return its word on one that it could not ask about."""
    return {"name": name, "skip_reason": "Dependency not found on PyPI"}


def judged(*dependencies: dict[str, Any]) -> tuple[str, int]:
    """Return the verdict on one unit."""
    return verdict([report_of("functions", {"dependencies": list(dependencies)})])


def test_all_known_and_none_vulnerable_is_well() -> None:
    """
    It says how many were asked about.
    """
    text, status = judged(sound("flask"), sound("jwt"))

    assert (text, status) == ("functions: 2 asked, 0 unknown\n", 0)


def test_a_vulnerability_is_named_with_its_cure() -> None:
    """
    And fails.
    """
    text, status = judged(sound("flask"), vulnerable("jwt"))

    assert status == 1
    assert (
        "VULNERABLE functions: jwt 1.0: "
        "PYSEC-1 (fixed in 1.1), CVE-2 (fixed in nothing yet)"
    ) in text


def test_a_network_without_pypi_is_said_and_is_no_failure() -> None:
    """
    pip-audit calls it a success; nobody shall take it for one.
    """
    text, status = judged(skipped("flask"), skipped("jwt"))

    assert status == 0
    assert NOT_AUDITED in text


def test_a_name_that_pypi_does_not_know_is_a_failure() -> None:
    """
    Where others are known, one that is not may be somebody else's.
    """
    text, status = judged(sound("flask"), skipped("jwtt"))

    assert status == 1
    assert "UNKNOWN functions: jwtt" in text


def test_each_unit_that_is_deployed_is_audited() -> None:
    """
    What runs anywhere but in tests.
    """
    locked = {
        path.parent.relative_to(REPOSITORY).as_posix()
        for folder in ("functions", "media_worker", "infra")
        for path in (REPOSITORY / folder).rglob("requirements.txt")
    }

    assert locked - {"infra/security"} == set(UNITS)  # the auditor itself
