"""The security review: each point names a test that exists, none is left out."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REVIEWS = (
    ROOT / "SECURITY.md",
    *sorted((ROOT / "infra" / "security").glob("*.md")),
)
# Chapters of ASVS 4.0.3, and its sections that have a requirement at level 1 or 2.
SECTIONS = {
    1: (1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14),
    2: range(1, 11),
    3: (1, 2, 3, 4, 5, 7),
    4: range(1, 4),
    5: range(1, 6),
    6: range(1, 5),
    7: range(1, 5),
    8: range(1, 4),
    9: (1, 2),
    10: (2, 3),
    11: (1,),
    12: range(1, 7),
    13: range(1, 5),
    14: range(1, 6),
}


@pytest.mark.parametrize("review", REVIEWS, ids=lambda path: path.name)
def test_each_test_that_it_names_is_there(review: Path) -> None:
    """
    A promise whose test was renamed or lost is a promise without a test.
    """
    named = re.findall(r"`(tests/[\w/.]+)(?:::(\w+))?`", review.read_text())

    for path, function in named:
        assert (ROOT / path).exists(), path
        if function:
            source = (ROOT / path).read_text()
            assert re.search(rf"^(async )?def {function}\(", source, re.M), function


def test_no_section_of_asvs_is_left_out() -> None:
    """
    Every section with a requirement at level 2 has a row, with a test or a reason.
    """
    text = (ROOT / "infra/security/asvs.md").read_text()
    found = set()
    for first, last, more in re.findall(
        r"^\| (\d+\.\d+)(?: to (\d+\.\d+))?(?:, (\d+\.\d+))?", text, re.MULTILINE
    ):
        chapter, start = map(int, first.split("."))
        end = int((last or first).split(".")[1])
        found |= {(chapter, section) for section in range(start, end + 1)}
        if more:
            found.add((chapter, int(more.split(".")[1])))

    assert found == {
        (chapter, section) for chapter, all_ in SECTIONS.items() for section in all_
    }
    rows = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    held = [line.rstrip("| ").rpartition("| ")[2] for line in rows]
    assert all(re.match("`tests/|none: ", cell) for cell in held)


def test_every_risk_of_the_top_ten_has_its_tests() -> None:
    """
    API1 to API10, each with a test.
    """
    text = (ROOT / "infra/security/api-top-10.md").read_text()
    rows = re.findall(r"^\| API(\d+) .*\| (`tests/.*) \|$", text, re.MULTILINE)

    assert [int(number) for number, _ in rows] == list(range(1, 11))
