"""The entry points are small."""

from tests.fresh_process import FUNCTIONS


def test_main_has_entry_points_only() -> None:
    """
    At most 40 lines: everything else lives in the package.
    """
    assert len((FUNCTIONS / "main.py").read_text().splitlines()) <= 40
