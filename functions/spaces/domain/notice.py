"""The notice that people are shown before they are recorded, or hear a recording."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

# A new one for every change of any text below: consent is to the words that were read.
NOTICE_VERSION: Final = "2026-11"
FALLBACK_LANG: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    One version in one language, in plain words.

    Args:
        points: What it means to be recorded, a sentence or two each.
    """

    version: str
    lang: str
    title: str
    points: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """Hex digest of the words, which receipts name: title and points, by line."""
        words = "\n".join((self.title, *self.points))
        return hashlib.sha256(words.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what clients show."""
        return {
            "version": self.version,
            "lang": self.lang,
            "title": self.title,
            "points": list(self.points),
        }


def notice_in(lang: str, *, kept_days: int) -> Notice:
    """
    Return the notice of today; in English where there is none in `lang`.

    Args:
        lang: BCP 47; "de-AT" is German.
        kept_days: How long this deployment keeps recordings.
    """
    primary = lang.replace("_", "-").split("-")[0].lower()
    known = primary if primary in TEXTS else FALLBACK_LANG
    title, *points = TEXTS[known]
    return Notice(
        version=NOTICE_VERSION,
        lang=known,
        title=title,
        points=tuple(point.format(days=kept_days) for point in points),
    )


# Language -> title, then the points; {days} is how long recordings are kept.
TEXTS: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "en": (
            "This Space may be recorded",
            "Only speakers who agree are recorded: their own voice, while they are on"
            " stage and not muted. Listeners are never recorded.",
            "If you say no, or say nothing, you talk as usual and are not in the"
            " recording. Nobody is told what you said; the host sees only how many"
            " agreed.",
            "The host may publish the recording. It is kept for {days} days. Clips"
            " with your voice take a yes of their own.",
            "You can take your yes back at any time, also long after. Then your"
            " voice, its key and everything made with it are deleted, and the"
            " recording is made anew without you.",
            "What we cannot catch: two people at one microphone, or your voice from a"
            " loudspeaker beside somebody who agreed. Please use headphones.",
            "You get a signed receipt for each answer. It proves what this service"
            " wrote down, not that whoever runs it is honest.",
        ),
        "es": (
            "Este espacio puede grabarse",
            "Solo se graba a quienes hablan y aceptan: su propia voz, mientras están"
            " en el escenario y sin silenciar. A quien escucha nunca se le graba.",
            "Si dices que no, o no dices nada, hablas como siempre y no apareces en"
            " la grabación. Nadie sabrá qué respondiste; quien organiza solo ve"
            " cuántas personas aceptaron.",
            "Quien organiza puede publicar la grabación. Se conserva {days} días. Los"
            " fragmentos con tu voz requieren un sí aparte.",
            "Puedes retirar tu sí en cualquier momento, también mucho después."
            " Entonces se borran tu voz, su clave y todo lo hecho con ella, y la"
            " grabación se rehace sin ti.",
            "Lo que no podemos evitar: dos personas ante un mismo micrófono, o tu voz"
            " por un altavoz junto a alguien que aceptó. Usa auriculares, por favor.",
            "Recibes un recibo firmado de cada respuesta. Demuestra lo que este"
            " servicio anotó, no que quien lo gestiona sea honesto.",
        ),
        "de": (
            "Dieser Space kann aufgenommen werden",
            "Aufgenommen wird nur, wer spricht und zustimmt: die eigene Stimme,"
            " solange man auf der Bühne und nicht stumm ist. Wer zuhört, wird nie"
            " aufgenommen.",
            "Wer Nein sagt oder nichts sagt, redet wie gewohnt und fehlt in der"
            " Aufnahme. Niemand erfährt die Antwort; der Host sieht nur, wie viele"
            " zugestimmt haben.",
            "Der Host darf die Aufnahme veröffentlichen. Sie wird {days} Tage"
            " aufbewahrt. Ausschnitte mit deiner Stimme brauchen ein eigenes Ja.",
            "Du kannst dein Ja jederzeit zurücknehmen, auch lange danach. Dann werden"
            " deine Stimme, ihr Schlüssel und alles daraus Entstandene gelöscht, und"
            " die Aufnahme wird ohne dich neu erstellt.",
            "Was wir nicht verhindern können: zwei Menschen an einem Mikrofon oder"
            " deine Stimme aus einem Lautsprecher neben jemandem, der zugestimmt hat."
            " Bitte benutze Kopfhörer.",
            "Für jede Antwort bekommst du einen signierten Beleg. Er beweist, was"
            " dieser Dienst festgehalten hat, nicht, dass der Betreiber ehrlich ist.",
        ),
        "ja": (
            "このスペースは録音されることがあります",
            "録音されるのは、同意したスピーカー本人の声だけです。ステージにいて、"
            "ミュートしていない間に限ります。リスナーは録音されません。",
            "断っても、答えなくても、いつもどおり話せます。録音にあなたの声は"
            "入りません。答えは誰にも知らされず、ホストに見えるのは同意した人数"
            "だけです。",
            "ホストは録音を公開できます。保存期間は{days}日です。あなたの声を含む"
            "クリップには、別の同意が必要です。",
            "同意はいつでも、あとからでも取り消せます。その場合、あなたの声とその鍵、"
            "そこから作られたものはすべて削除され、録音はあなたの声なしで作り直"
            "されます。",
            "防げないこと: 1本のマイクを2人で使う場合や、同意した人のそばのスピーカー"
            "からあなたの声が出る場合です。ヘッドホンをお使いください。",
            "答えるたびに署名付きの控えが渡されます。控えが証明するのは、この"
            "サービスの記録であり、運営者の誠実さではありません。",
        ),
    }
)
