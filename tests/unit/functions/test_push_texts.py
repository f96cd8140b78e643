"""What a push says: in the receiver's language, in their own time."""

from datetime import UTC, datetime

import pytest

from spaces.domain.announcement import Announcement, AnnouncementKind
from spaces.domain.push import push_of
from spaces.domain.push_texts import LANGUAGES, language_of, texts
from spaces.domain.states import SpaceState
from tests.announcing_fakes import a_device
from tests.builders import NOW, SPACE_ID, a_space

# 23:30 in London, and the next day further east.
START = datetime(2030, 7, 4, 22, 30, tzinfo=UTC)
SPACE = a_space(SpaceState.SCHEDULED, scheduled_start=START, schedule_version=1)


@pytest.mark.parametrize(
    ("locale", "time_zone", "title", "body"),
    [
        ("en-GB", "Europe/London", "has a new time", "Thu, Jul 4, 11:30 PM"),
        ("en-US", "America/Los_Angeles", "has a new time", "Thu, Jul 4, 3:30 PM"),
        ("es-MX", "America/Mexico_City", "cambia de hora", "jue, 4 jul, 16:30"),
        ("de-AT", "Europe/Vienna", "neuer Termin", "Fr., 5. Juli, 00:30 Uhr"),
        ("ja_JP", "Asia/Tokyo", "開始時刻が変わりました", "7月5日(金) 7:30"),
        ("fr-FR", "Europe/Paris", "has a new time", "Fri, Jul 5, 12:30 AM"),
        ("en", "Mars/Olympus", "has a new time", "Thu, Jul 4, 10:30 PM UTC"),
        ("en", "../../etc/passwd", "has a new time", "10:30 PM UTC"),
        ("en", "", "has a new time", "10:30 PM UTC"),
        ("", "UTC", "has a new time", "10:30 PM UTC"),
    ],
)
def test_language_and_zone_are_the_receivers(
    locale: str, time_zone: str, title: str, body: str
) -> None:
    """
    Daylight saving and the change of date included; what is unknown falls back.
    """
    said = texts(
        AnnouncementKind.MOVED, SPACE, by="Bo", locale=locale, time_zone=time_zone
    )

    assert title in said[0]
    assert body in said[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", AnnouncementKind)
@pytest.mark.parametrize("title", ["Tea", None, "{host} {0} %s"])
def test_every_language_says_everything(
    language: str, kind: AnnouncementKind, title: str | None
) -> None:
    """
    No placeholder is left, no text is empty, and titles are taken as they are.
    """
    space = a_space(title=title, scheduled_start=START)
    said = texts(kind, space, by="Bo", locale=language, time_zone="Asia/Tokyo")

    assert all(said)
    if title is None:
        assert "{" not in "".join(said)
    elif title in "".join(said):
        assert "{" not in "".join(said).replace(title, "")


def test_languages_differ() -> None:
    """
    None is a copy of another that somebody forgot to translate.
    """
    for kind in AnnouncementKind:
        said = {language_of(name).phrases[kind] for name in LANGUAGES}
        assert len(said) == len(LANGUAGES)


def test_a_push_leads_to_its_space_and_replaces_its_like() -> None:
    """
    The link is the Space's page; all pushes of a Space have one tag, each has an id.
    """
    one, other = (
        push_of(
            announcement,
            SPACE,
            a_device(),
            by="Host",
            public_url="https://x.example",
            now=NOW,
        )
        for announcement in _two_announcements()
    )

    assert one.link == f"https://x.example/s/{SPACE_ID}"
    assert one.tag == other.tag
    assert one.id != other.id
    assert len(one.tag.encode()) <= 32


def _two_announcements() -> list[Announcement]:
    return [
        Announcement(SPACE_ID, AnnouncementKind.MOVED, 2),
        Announcement(SPACE_ID, AnnouncementKind.CANCELLED, 3),
    ]
