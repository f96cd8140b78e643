"""The web client's libraries as its build brings them in, each without its friends."""

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from tests.worker_process import ROOT

HOSTING: Final = ROOT / "infra" / "hosting"
TIMEOUT_S: Final = 120


def built(folder: Path, name: str) -> Path | None:
    """
    Build one library in `folder`, and return the folder with its files.

    Only its own package is fetched, whose digest is the lock's: what a package depends
    on is in the file that the page gets already.

    Returns:
        None without npm.
    """
    if shutil.which("npm") is None:
        return None
    lock = json.loads((HOSTING / "package-lock.json").read_text())
    locked = lock["packages"][f"node_modules/{name}"]
    for source in ("package.json", ".npmrc", "vendor.js"):
        shutil.copy(HOSTING / source, folder)
    _run(folder, "npm", "pack", "--silent", f"{name}@{locked['version']}")
    (packed,) = folder.glob("*.tgz")
    digest = base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    assert locked["integrity"] == f"sha512-{digest}"
    with tarfile.open(packed) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (folder / "node_modules").mkdir()
    (folder / "unpacked" / "package").rename(folder / "node_modules" / name)
    _run(folder, "node", "vendor.js", name)
    return folder / "public" / "vendor"


def _run(folder: Path, *command: str) -> None:
    subprocess.run(
        command, cwd=folder, check=True, capture_output=True, timeout=TIMEOUT_S
    )
