"""The dependency rules of the code base, held by walking every import."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Folder -> what its modules may import beside the standard library and their own
# folder; the most specific row counts.  A < B in the README's words: B may import A.
ALLOWED: dict[str, tuple[str, ...]] = {
    "functions/spaces_contract": (),
    "functions/spaces_tracing": (
        "spaces_contract",
        "google",
        "opentelemetry",
        "requests",
    ),
    "functions/spaces/domain": ("spaces_contract",),
    "functions/spaces/service": ("spaces_contract", "spaces.domain"),
    "functions/spaces/http": (
        "spaces_contract",
        "spaces_tracing",
        "spaces.domain",
        "spaces.service",
        "flask",
        "werkzeug",
        "pydantic",
    ),
    "functions/spaces/adapters": (
        "spaces_contract",
        "spaces_tracing",
        "spaces.domain",
        "spaces.service",
        "cachecontrol",
        "cryptography",
        "docker",
        "firebase_admin",
        "google",
        "grpc",
        "jwt",
        "obstore",
        "requests",
        "kubernetes",
        "urllib3",
    ),
    "functions/spaces": (  # bootstrap and config: the composition root
        "spaces_contract",
        "spaces_tracing",
        "cryptography",
        "firebase_admin",
        "flask",
        "google",
        "grpc",
        "requests",
    ),
    "functions": ("spaces", "flask", "functions_framework", "werkzeug"),
    "media_worker/audio": ("spaces_contract", "cffi", "numpy"),
    "media_worker/room": ("spaces_contract", "media_worker.audio", "numpy"),
    "media_worker/transport": (
        "spaces_contract",
        "spaces_tracing",
        "media_worker.audio",
        "media_worker.egress",
        "media_worker.room.ports",
        "OpenSSL",
        "aioice",
        "aiortc",
        "cffi",
        "cryptography",
        "numpy",
        "pylibsrtp",
    ),
    "media_worker/egress": (
        "spaces_contract",
        "media_worker.audio.frames",
        "cffi",
        "nacl",
        "numpy",
        "pylibsrtp",
    ),
    "media_worker/egress/processes": (
        "spaces_contract",
        "media_worker.audio.frames",
        "media_worker.egress",
        "media_worker.json_logs",
        "media_worker.process_memory",
        "media_worker.room.durations",
        "media_worker.room.ports",
        "media_worker.transport",
    ),
    "media_worker/control": (
        "spaces_contract",
        "spaces_tracing",
        "media_worker.room.ports",
        "jwt",
        "starlette",
        "uvicorn",
    ),
    "media_worker/live_edge": (
        "spaces_contract",
        "media_worker.audio",
        "media_worker.room.clock",
        "media_worker.room.ports",
        "av",
        "cryptography",
        "numpy",
        "obstore",
    ),
    "media_worker/relay": (  # a composition root of its own, and what only it needs
        "spaces_contract",
        "media_worker.audio.frames",
        "media_worker.audio.opus_packet",
        "media_worker.config",
        "media_worker.control",
        "media_worker.egress",
        "media_worker.epoch_life",
        "media_worker.firestore_link",
        "media_worker.metrics",
        "media_worker.room",
        "media_worker.shared_parts",
        "media_worker.start_trace",
        "media_worker.transport",
        "h11",
    ),
    "media_worker/recording": (
        "spaces_contract",
        "spaces_tracing",
        "media_worker.audio",
        "media_worker.config",
        "media_worker.json_logs",
        "media_worker.room.clock",
        "media_worker.room.ports",
        "media_worker.start_trace",
        "av",
        "cryptography",
        "google",
        "numpy",
        "obstore",
        "requests",
    ),
    "media_worker": (
        "spaces_contract",
        "spaces_tracing",
        "media_worker",
        "google",
        "grpc",
        "h11",
        "numpy",
    ),
    "infra/local/wire": ("grpc", "hpack"),
    "infra/cloud": ("parley_cloud", "pulumi"),
    "infra/cloud/parley_cloud": ("pulumi", "pulumi_gcp"),
    "infra": (
        "infra",
        "aiohttp",
        "cryptography",
        "docker",
        "flask",
        "functions_framework",
        "google",
        "grpc",
        "gunicorn",
        "jwt",
        "werkzeug",
        "yarl",
    ),
}


def python_files() -> list[Path]:
    """Return every module of the three deploy units and the embedded cloud."""
    return sorted(
        path
        for top in ("functions", "media_worker", "infra")
        for path in (ROOT / top).rglob("*.py")
    )


def package_of(path: Path) -> tuple[str, ...]:
    """Return the dotted package of a module, as seen from its root on sys.path."""
    parts = path.relative_to(ROOT).parts[:-1]
    return parts[1:] if parts[:1] == ("functions",) else parts


def statements(within: ast.AST) -> Iterator[ast.AST]:
    """Yield every statement below a node; expressions, which import nothing, not."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(within, field, ()):
            yield node
            yield from statements(node)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the absolute name of everything that a module imports."""
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package_of(path)[: len(package_of(path)) - node.level + 1]
            prefix = [*base] if node.level else []
            module = [node.module] if node.module else []
            for alias in node.names:
                yield ".".join([*prefix, *module, alias.name])


def row_for(path: Path) -> str:
    """Return the most specific row of the table for a module."""
    folder = path.relative_to(ROOT).parent.as_posix()
    rows = [row for row in ALLOWED if folder == row or folder.startswith(row + "/")]
    return max(rows, key=len)


def violations(path: Path) -> list[str]:
    """Return the imports of a module that its row does not allow."""
    row = row_for(path)
    own = ".".join(Path(row).parts[1:] if row.startswith("functions") else [])
    own = own or row.replace("/", ".")
    allowed = (*ALLOWED[row], own)
    return [
        name
        for name in imports_of(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == ok or name.startswith(ok + ".") for ok in allowed)
    ]


def test_imports_keep_to_the_table() -> None:
    """
    Each module imports only what the dependency rules allow its folder.
    """
    found = {path: violations(path) for path in python_files()}

    assert found
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("folder", "statement"),
    [
        ("functions/spaces_contract", "import numpy"),
        ("functions/spaces/domain", "from ..adapters import clock"),
        ("functions/spaces/domain", "import flask"),
        ("functions/spaces/service", "from google.cloud import firestore"),
        ("functions/spaces/http", "from ..adapters.clock import now"),
        ("functions/spaces", "import infra.local"),
        ("functions/spaces/adapters", "from media_worker import config"),
        ("media_worker/room", "from google.cloud import firestore"),
        ("media_worker/room", "from ..transport import sdp"),
        ("media_worker/audio", "import aiortc"),
        ("media_worker/control", "import spaces.domain"),
        ("infra/local", "from media_worker import config"),
        ("infra/local", "import spaces"),
        ("infra/cloud/parley_cloud", "from infra.local import ports"),
        ("infra/local", "try:\n    pass\nfinally:\n    import spaces"),
        ("infra/local", "def late():\n    if late:\n        import spaces"),
    ],
)
def test_a_violation_is_seen(
    folder: str, statement: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """
    A forbidden import is reported, absolute or relative, so the walk is no dummy.
    """
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    module = tmp_path / folder / "new_module.py"
    module.parent.mkdir(parents=True)
    module.write_text(f"import json\n{statement}\n")

    assert len(violations(module)) == 1


def test_modules_stay_readable() -> None:
    """
    No module outgrows 400 lines: a stranger reads it in one sitting.
    """
    lengths = {path: len(path.read_text().splitlines()) for path in python_files()}

    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_the_function_entry_point_is_small() -> None:
    """
    `main.py` holds entry points only.
    """
    assert len((ROOT / "functions/main.py").read_text().splitlines()) <= 40
