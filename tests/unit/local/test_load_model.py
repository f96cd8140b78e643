"""The load model: what grows with the audience, and what does not."""

from dataclasses import replace

import pytest

from infra.load_model import (
    AUDIENCES,
    Figures,
    Prices,
    cost_of,
    load_of,
    main,
    report,
)

FIGURES = Figures()


def test_the_origin_does_not_know_how_many_listen() -> None:
    """
    Store and origin do the same for ten thousand as for a million.
    """
    some, many = (load_of(count, FIGURES) for count in (20_000, 1_000_000))

    assert (some.origin_requests, some.store_writes) == (
        many.origin_requests,
        many.store_writes,
    )
    assert some.worker_cores == many.worker_cores
    assert many.cdn_requests > 50 * some.cdn_requests


def test_nobody_pays_for_hls_that_nobody_hears() -> None:
    """
    A Space within a worker's capacity makes none.
    """
    load = load_of(FIGURES.webrtc_capacity, FIGURES)

    assert (load.hls, load.cdn_gb > 0) == (0, True)  # room.json alone
    assert load.cdn_requests == FIGURES.webrtc_capacity * 3_600


def test_keys_and_tokens_follow_their_periods() -> None:
    """
    An hour is 12 keys and 7.5 tokens for each HLS listener; from 10,000 on the CDN has
    the keys, and for each of its signatures one begins anew.
    """
    figures = replace(FIGURES, webrtc_capacity=0)
    small, large = (load_of(count, figures) for count in (9_999, 10_000))

    assert small.function_requests == pytest.approx(9_999 * (2 + 12 + 7.5))
    assert large.function_requests == pytest.approx(10_000 * (2 + 12 + 12))
    assert large.firestore_reads == pytest.approx(10_000 * (7 + 12 * 7))
    assert small.firestore_writes == 9_999


def test_every_dollar_is_for_something() -> None:
    """
    Each price matters, and no cost is negative.
    """
    load = load_of(100_000, FIGURES)
    before = cost_of(load, Prices())

    for name in Prices.__dataclass_fields__:
        dearer = replace(Prices(), **{name: 1.0})
        assert sum(cost_of(load, dearer).values()) > sum(before.values())
    assert min(before.values()) >= 0


def test_the_table_has_a_column_for_each_audience(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """
    It is printed with one's own prices; one that does not exist is refused.
    """
    main(["7", "--price", "cdn_request_usd=0"])
    printed = capsys.readouterr().out

    assert printed.splitlines()[0].split() == ["listeners", "7"]
    assert "$ requests at the CDN" in printed
    assert len(report(AUDIENCES, FIGURES, Prices()).splitlines()[0].split()) == 4
    with pytest.raises(SystemExit):
        main(["--price", "no_such=1"])
