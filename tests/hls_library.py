"""hls.js as the web client's build brings it in; npm checks its digest."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.worker_process import ROOT

SOURCES: Final = ("package.json", "package-lock.json", ".npmrc", "vendor.js")


def built_hls_js(folder: Path) -> Path | None:
    """Build it in `folder`, which is empty, and return its file; None without npm."""
    if shutil.which("npm") is None:
        return None
    for name in SOURCES:
        shutil.copy(ROOT / "infra" / "hosting" / name, folder)
    for command in (["npm", "ci"], ["npm", "run", "build"]):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "public" / "vendor" / "hls.min.mjs"
