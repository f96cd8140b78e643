"""What we promise is written down once, and the page says the same."""

import pytest

from tests.soak.objectives import SOURCE, Objective, objectives


def test_the_page_says_what_the_soak_judges_by() -> None:
    """Each promise of `slos.json` is a row of `slos.md`, and there is no other."""
    lines = SOURCE.with_suffix(".md").read_text().splitlines()

    rows = [line for line in lines if line.startswith("| `")]

    assert rows == [
        f"| `{each.id}` | {each.promise} | {each.bound()} |"
        for each in objectives().values()
    ]


@pytest.mark.parametrize(
    ("statistic", "bound", "samples", "value", "kept"),
    [
        ("share", {"at_least": 0.9}, [1.0] * 9 + [0.0], 0.9, True),
        ("share", {"at_least": 0.9}, [1.0, 0.0], 0.5, False),
        ("p95", {"at_most": 1.0}, [float(n) for n in range(1, 101)], 95.0, False),
        ("p95", {"at_most": 1.0}, [0.5], 0.5, True),
        ("max", {"at_most": 1.0}, [0.5, 1.5], 1.5, False),
        ("count", {"at_most": 0}, [], 0.0, True),
        ("count", {"at_most": 0}, [1.0], 1.0, False),
    ],
)
def test_figures_are_judged(
    statistic: str,
    bound: dict[str, float],
    samples: list[float],
    value: float,
    kept: bool,
) -> None:
    """A statistic of samples is within its bound, or not."""
    objective = Objective(
        id="x", promise="", statistic=statistic, unit="s", measured_by="soak", **bound
    )

    assert objective.value_of(samples) == value
    assert objective.keeps(value) is kept


def test_nothing_measured_is_no_promise_kept() -> None:
    """Without a sample there is no figure."""
    with pytest.raises(ValueError, match="nothing was measured of start-to-audio"):
        objectives()["start-to-audio"].value_of([])
