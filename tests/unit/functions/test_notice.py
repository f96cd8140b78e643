"""The notice that people are shown before they are recorded."""

import pytest

from spaces.domain.notice import TEXTS, notice_in
from tests.recording_builders import (
    NOTICE,
)


@pytest.mark.parametrize("lang", sorted(TEXTS))
def test_the_notice_is_whole_in_every_language(lang: str) -> None:
    """
    The same points in each, the days filled in, and a digest of its own.
    """
    notice = notice_in(lang, kept_days=30)

    assert notice.lang == lang
    assert len(notice.points) == len(NOTICE.points)
    assert "30" in " ".join(notice.points)
    assert "{" not in " ".join(notice.points)
    assert lang == "en" or notice.sha256 != NOTICE.sha256


@pytest.mark.parametrize(("lang", "known"), [("de-AT", "de"), ("fr", "en"), ("", "en")])
def test_an_unknown_language_is_answered_in_english(lang: str, known: str) -> None:
    """
    Regions fall back to their language, the rest to English; the receipt says so.
    """
    assert notice_in(lang, kept_days=1).lang == known
