"""
Asks whether what we install has known vulnerabilities, and lists it (`make audit`).

Each unit's locked requirements go to pip-audit, which asks PyPI, and to CycloneDX,
which needs nobody: the lists are build/sbom-<unit>.json.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
UNITS: Final = ("functions", "media_worker", "infra/local", "infra/cloud")
AUDIT_TIMEOUT_S: Final = 300.0
TROUBLE: Final = 1
# In pip-audit's words, where there is no network, or a proxy that refuses.
OFFLINE: Final = ("Could not connect", "requests.exceptions.")
NOT_AUDITED: Final = """\
Not audited: PyPI's JSON API (https://pypi.org/pypi/<name>/<version>/json) does not
answer here, or a mirror without it does. Run this where it does, before a release;
the lists of what is installed were written all the same.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What was found of one unit.

    Args:
        vulnerable: "name version: ids, fixed in versions" of each that is known.
        unknown: Names that nobody could be asked about.
        asked: How many were looked up.
    """

    unit: str
    vulnerable: tuple[str, ...]
    unknown: tuple[str, ...]
    asked: int


def report_of(unit: str, answer: Any) -> Report:
    """Return what pip-audit's JSON says; it calls what it could not ask a success."""
    vulnerable, unknown = [], []
    for each in answer["dependencies"]:
        if "skip_reason" in each:
            unknown.append(each["name"])
        elif each["vulns"]:
            found = ", ".join(_named(vulnerability) for vulnerability in each["vulns"])
            vulnerable.append(f"{each['name']} {each['version']}: {found}")
    return Report(
        unit=unit,
        vulnerable=tuple(vulnerable),
        unknown=tuple(unknown),
        asked=len(answer["dependencies"]) - len(unknown),
    )


def _named(vulnerability: Any) -> str:
    fixed = ", ".join(vulnerability["fix_versions"]) or "nothing yet"
    return f"{vulnerability['id']} (fixed in {fixed})"


def verdict(reports: Sequence[Report]) -> tuple[str, int]:
    """
    Return what to print, and the exit status.

    A network that knows nobody is no failure, and is said; one that knows some and not
    others is, as the others may be names that are not on PyPI.
    """
    lines = [f"{r.unit}: {r.asked} asked, {len(r.unknown)} unknown" for r in reports]
    lines += [f"VULNERABLE {r.unit}: {each}" for r in reports for each in r.vulnerable]
    if not any(report.asked for report in reports):
        return "\n".join([*lines, NOT_AUDITED]), 0
    lines += [f"UNKNOWN {r.unit}: {', '.join(r.unknown)}" for r in reports if r.unknown]
    bad = any(report.vulnerable or report.unknown for report in reports)
    return "\n".join([*lines, ""]), TROUBLE if bad else 0


def audited(unit: str) -> Report:
    """
    Return what pip-audit says of a unit.

    Raises:
        subprocess.SubprocessError: it crashed, or took too long.
    """
    done = subprocess.run(  # noqa: S603 - the project's own command
        [
            sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes",
            "--progress-spinner", "off", "--format", "json",
            "--requirement", str(REPOSITORY / unit / "requirements.txt"),
        ],
        # Said aloud, "No known vulnerabilities found" would be taken for an answer.
        capture_output=True,
        text=True,
        timeout=AUDIT_TIMEOUT_S,
        check=False,  # it is 1 where it found something
    )  # fmt: skip
    if not done.stdout and any(words in done.stderr for words in OFFLINE):
        return Report(unit=unit, vulnerable=(), unknown=("all",), asked=0)
    if not done.stdout:
        raise subprocess.SubprocessError(f"pip-audit failed: {done.stderr}")
    return report_of(unit, json.loads(done.stdout))


def list_components(unit: str, folder: Path) -> Path:
    """Write the unit's SBOM into `folder`; raises CalledProcessError."""
    file = folder / f"sbom-{unit.replace('/', '-')}.json"
    subprocess.run(  # noqa: S603 - the project's own command
        [
            sys.executable, "-m", "cyclonedx_py", "requirements",
            "--output-reproducible", "--of", "JSON", "--output-file", str(file),
            str(REPOSITORY / unit / "requirements.txt"),
        ],
        check=True,
    )  # fmt: skip
    return file


def main() -> int:
    """List and audit every unit; return the exit status."""
    folder = REPOSITORY / "build"
    folder.mkdir(exist_ok=True)
    for unit in UNITS:
        list_components(unit, folder)
    text, status = verdict([audited(unit) for unit in UNITS])
    sys.stdout.write(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
