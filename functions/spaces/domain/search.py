"""Words by which Spaces are found: how they are folded, kept, asked for, matched."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .space import Space

MAX_QUERY_CHARS: Final = 100
MAX_QUERY_WORDS: Final = 10
# What is kept of one word and of one Space, so that no text makes a document huge.
MAX_TERM_CHARS: Final = 20
MAX_TERMS: Final = 300
# Kana and Han are written without spaces: each sign is a word of its own.
_UNSPACED: Final = ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF))


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """
    What somebody looks for: whole words, and one that may go on.

    Args:
        words: Folded, each wanted as it stands; may be empty.
        beginning: Folded; the last word typed, maybe not to its end.
    """

    words: tuple[str, ...]
    beginning: str

    @property
    def term(self) -> str:
        """The one term that the store is asked for: the longest, so the rarest."""
        return max((*self.words, self.beginning), key=len)[:MAX_TERM_CHARS]


def fold(text: str) -> str:
    """Return `text` without case, accents and compatibility forms."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    marks = (each for each in bare if not unicodedata.combining(each))
    return unicodedata.normalize("NFKD", "".join(marks).casefold())


def words_of(text: str) -> tuple[str, ...]:
    """Return the folded words of `text`, each once, in order."""
    return tuple(dict.fromkeys("".join(map(_spaced, fold(text))).split()))


def _spaced(sign: str) -> str:
    """Return a sign of a word as it is or apart from others; a space for the rest."""
    # M: vowel signs of Indic scripts belong to their word, and are no letters.
    if not sign.isalnum() and unicodedata.category(sign)[0] != "M":
        return " "
    apart = any(first <= ord(sign) <= last for first, last in _UNSPACED)
    return f" {sign} " if apart else sign


def parse(text: str) -> SearchQuery | None:
    """Return what `text` asks for; None where it has no word in it."""
    found = words_of(text)[:MAX_QUERY_WORDS]
    if not found:
        return None
    return SearchQuery(words=found[:-1], beginning=found[-1])


def terms_of(title: str | None, topics: Sequence[str]) -> tuple[str, ...]:
    """
    Return the terms under which a Space is kept: each beginning of each word.

    A store that only knows whether a list has an element finds beginnings by them.
    """
    beginnings = (
        word[:length]
        for word in words_of(_text(title, topics))
        for length in range(1, min(len(word), MAX_TERM_CHARS) + 1)
    )
    return tuple(dict.fromkeys(beginnings))[:MAX_TERMS]


def matches(query: SearchQuery, space: Space) -> bool:
    """Tell whether a Space has every word, and one that begins as the last does."""
    found = words_of(_text(space.title, space.topics))
    return set(query.words) <= set(found) and any(
        word.startswith(query.beginning) for word in found
    )


def _text(title: str | None, topics: Sequence[str]) -> str:
    return " ".join((title or "", *topics))
