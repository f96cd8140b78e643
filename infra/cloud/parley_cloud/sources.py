"""What is uploaded of the functions, under a name that tells what it is."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .settings import REPOSITORY

FUNCTIONS: Final = REPOSITORY / "functions"


def sources() -> dict[str, Path]:
    """Return the functions' files by their paths in the archive."""
    return {
        path.relative_to(FUNCTIONS).as_posix(): path
        for path in sorted(FUNCTIONS.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def archived(files: Mapping[str, Path]) -> str:
    """
    Return the name of an archive of `files`: another one where any of them differs.

    A function is not built anew because an object of the same name has changed.
    """
    digest = hashlib.sha256()
    for name, path in files.items():
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return f"functions-{digest.hexdigest()[:16]}.zip"
