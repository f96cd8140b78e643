"""The words of pushes in every language that Parley speaks: one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .announcement import AnnouncementKind
from .space import Space

FALLBACK: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """
    How one language says it.

    Args:
        untitled: Stands for the title of a Space that has none.
        when: A local time in words, its zone aside.
        phrases: Title and body by kind, with {title}, {host}, {by} and {when}.
    """

    untitled: str
    when: Callable[[datetime], str]
    phrases: Mapping[AnnouncementKind, tuple[str, str]]


def texts(
    kind: AnnouncementKind, space: Space, *, by: str, locale: str, time_zone: str
) -> tuple[str, str]:
    """
    Return title and body of a push.

    A language that is not in the table is answered in English, a zone that does not
    exist in UTC, which is then named.
    """
    language = language_of(locale)
    zone = _zone(time_zone)
    when = ""
    if space.scheduled_start is not None:
        when = language.when(space.scheduled_start.astimezone(zone))
        when += " UTC" if zone is UTC else ""
    facts = {
        "title": space.title or language.untitled.format(host=space.host_display_name),
        "host": space.host_display_name,
        "by": by,
        "when": when,
    }
    title, body = language.phrases[kind]
    return title.format_map(facts), body.format_map(facts)


def language_of(locale: str) -> Language:
    """Return the language of a BCP 47 locale: "de-AT" is German."""
    primary = locale.replace("_", "-").split("-")[0].lower()
    return LANGUAGES.get(primary, LANGUAGES[FALLBACK])


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # names come from apps
        return UTC


def _english(at: datetime) -> str:
    day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][at.weekday()]
    months = [
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
    ]
    half = "AM" if at.hour < 12 else "PM"
    hour = at.hour % 12 or 12
    return f"{day}, {months[at.month - 1]} {at.day}, {hour}:{at.minute:02} {half}"


def _spanish(at: datetime) -> str:
    day = ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"][at.weekday()]
    months = [
        "ene",
        "feb",
        "mar",
        "abr",
        "may",
        "jun",
        "jul",
        "ago",
        "sept",
        "oct",
        "nov",
        "dic",
    ]
    return f"{day}, {at.day} {months[at.month - 1]}, {at.hour}:{at.minute:02}"


def _german(at: datetime) -> str:
    day = ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."][at.weekday()]
    months = [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ]
    return f"{day}, {at.day}. {months[at.month - 1]}, {at.hour:02}:{at.minute:02} Uhr"


def _japanese(at: datetime) -> str:
    day = "月火水木金土日"[at.weekday()]
    return f"{at.month}月{at.day}日({day}) {at.hour}:{at.minute:02}"


LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType(
    {
        "en": Language(
            untitled="{host}'s Space",
            when=_english,
            phrases={
                AnnouncementKind.HOST_SOON: (
                    "Your Space starts in 30 minutes",
                    "{title} · {when}",
                ),
                AnnouncementKind.HOST_DUE: (
                    "It is time to start your Space",
                    "{title}: your listeners are waiting",
                ),
                AnnouncementKind.LIVE: ("{host} is live", "{title}: listen now"),
                AnnouncementKind.MOVED: ("{title} has a new time", "{when}"),
                AnnouncementKind.CANCELLED: (
                    "{title} was cancelled",
                    "{host} was to host it on {when}",
                ),
                AnnouncementKind.INVITED_TO_SPEAK: (
                    "{by} invites you to speak",
                    "{title}",
                ),
                AnnouncementKind.INVITED_TO_CO_HOST: (
                    "{by} asks you to co-host",
                    "{title}",
                ),
                AnnouncementKind.INVITED_TO_LISTEN: (
                    "{by} invites you to listen",
                    "{title}",
                ),
                AnnouncementKind.ON_STAGE: (
                    "You are on stage",
                    "{title}: unmute to speak",
                ),
                AnnouncementKind.RECORDING_ASKED: (
                    "May your voice be recorded?",
                    "{title}: nobody learns what you answer",
                ),
                AnnouncementKind.RECORDING_READY: (
                    "The recording is ready",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_SUPERSEDED: (
                    "The recording is being made anew",
                    "{title}: please delete copies of the old version",
                ),
                AnnouncementKind.RECORDING_ERASED: (
                    "The recording is deleted",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_FAILED: (
                    "The recording could not be made",
                    "{title}",
                ),
            },
        ),
        "es": Language(
            untitled="Espacio de {host}",
            when=_spanish,
            phrases={
                AnnouncementKind.HOST_SOON: (
                    "Tu espacio empieza en 30 minutos",
                    "{title} · {when}",
                ),
                AnnouncementKind.HOST_DUE: (
                    "Es hora de empezar tu espacio",
                    "{title}: tu audiencia espera",
                ),
                AnnouncementKind.LIVE: (
                    "{host} está en directo",
                    "{title}: escucha ahora",
                ),
                AnnouncementKind.MOVED: ("{title} cambia de hora", "{when}"),
                AnnouncementKind.CANCELLED: (
                    "{title}: cancelado",
                    "{host} lo había anunciado para el {when}",
                ),
                AnnouncementKind.INVITED_TO_SPEAK: (
                    "{by} te invita a hablar",
                    "«{title}»",
                ),
                AnnouncementKind.INVITED_TO_CO_HOST: (
                    "{by} te propone como coanfitrión",
                    "«{title}»",
                ),
                AnnouncementKind.INVITED_TO_LISTEN: (
                    "{by} te invita a escuchar",
                    "«{title}»",
                ),
                AnnouncementKind.ON_STAGE: (
                    "Ya puedes hablar",
                    "{title}: activa el micrófono",
                ),
                AnnouncementKind.RECORDING_ASKED: (
                    "¿Se puede grabar tu voz?",
                    "{title}: nadie sabrá qué respondes",
                ),
                AnnouncementKind.RECORDING_READY: (
                    "La grabación está lista",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_SUPERSEDED: (
                    "La grabación se está rehaciendo",
                    "{title}: borra las copias de la versión anterior",
                ),
                AnnouncementKind.RECORDING_ERASED: (
                    "La grabación se ha borrado",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_FAILED: (
                    "No se pudo crear la grabación",
                    "{title}",
                ),
            },
        ),
        "de": Language(
            untitled="Space von {host}",
            when=_german,
            phrases={
                AnnouncementKind.HOST_SOON: (
                    "Dein Space beginnt in 30 Minuten",
                    "{title} · {when}",
                ),
                AnnouncementKind.HOST_DUE: (
                    "Zeit für deinen Space",
                    "{title}: dein Publikum wartet",
                ),
                AnnouncementKind.LIVE: ("{host} ist live", "{title}: jetzt zuhören"),
                AnnouncementKind.MOVED: ("{title}: neuer Termin", "{when}"),
                AnnouncementKind.CANCELLED: (
                    "{title} wurde abgesagt",
                    "Geplant von {host} für {when}",
                ),
                AnnouncementKind.INVITED_TO_SPEAK: (
                    "{by} lädt dich zum Sprechen ein",
                    "„{title}“",
                ),
                AnnouncementKind.INVITED_TO_CO_HOST: (
                    "{by} möchte dich als Co-Host",
                    "„{title}“",
                ),
                AnnouncementKind.INVITED_TO_LISTEN: (
                    "{by} lädt dich zum Zuhören ein",
                    "„{title}“",
                ),
                AnnouncementKind.ON_STAGE: (
                    "Du bist auf der Bühne",
                    "{title}: Mikrofon einschalten und sprechen",
                ),
                AnnouncementKind.RECORDING_ASKED: (
                    "Darf deine Stimme aufgenommen werden?",
                    "{title}: niemand erfährt deine Antwort",
                ),
                AnnouncementKind.RECORDING_READY: (
                    "Die Aufnahme ist fertig",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_SUPERSEDED: (
                    "Die Aufnahme wird neu erstellt",
                    "{title}: bitte Kopien der alten Fassung löschen",
                ),
                AnnouncementKind.RECORDING_ERASED: (
                    "Die Aufnahme ist gelöscht",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_FAILED: (
                    "Die Aufnahme konnte nicht erstellt werden",
                    "{title}",
                ),
            },
        ),
        "ja": Language(
            untitled="{host}さんのスペース",
            when=_japanese,
            phrases={
                AnnouncementKind.HOST_SOON: (
                    "あと30分でスペースが始まります",
                    "{title} · {when}",
                ),
                AnnouncementKind.HOST_DUE: (
                    "スペースを始める時間です",
                    "{title}: リスナーが待っています",
                ),
                AnnouncementKind.LIVE: (
                    "{host}さんがライブ配信中",
                    "{title}: 今すぐ聴く",
                ),
                AnnouncementKind.MOVED: (
                    "{title}の開始時刻が変わりました",
                    "{when}",
                ),
                AnnouncementKind.CANCELLED: (
                    "{title}は中止になりました",
                    "{host}さんの予定: {when}",
                ),
                AnnouncementKind.INVITED_TO_SPEAK: (
                    "{by}さんがスピーカーに招待しています",
                    "「{title}」",
                ),
                AnnouncementKind.INVITED_TO_CO_HOST: (
                    "{by}さんが共同ホストに招待しています",
                    "「{title}」",
                ),
                AnnouncementKind.INVITED_TO_LISTEN: (
                    "{by}さんがリスナーに招待しています",
                    "「{title}」",
                ),
                AnnouncementKind.ON_STAGE: (
                    "ステージに上がりました",
                    "{title}: ミュートを解除して話せます",
                ),
                AnnouncementKind.RECORDING_ASKED: (
                    "あなたの声を録音してもよいですか",
                    "{title}: 答えは誰にも知らされません",
                ),
                AnnouncementKind.RECORDING_READY: (
                    "録音の準備ができました",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_SUPERSEDED: (
                    "録音を作り直しています",
                    "{title}: 古い版のコピーは削除してください",
                ),
                AnnouncementKind.RECORDING_ERASED: (
                    "録音は削除されました",
                    "{title}",
                ),
                AnnouncementKind.RECORDING_FAILED: (
                    "録音を作成できませんでした",
                    "{title}",
                ),
            },
        ),
    }
)
