"""hls.js as the web client's build brings it in."""

from pathlib import Path

from tests.web_libraries import built


def built_hls_js(folder: Path) -> Path | None:
    """Build it in `folder`, which is empty, and return its file; None without npm."""
    vendor = built(folder, "hls.js")
    return vendor / "hls.min.mjs" if vendor else None
