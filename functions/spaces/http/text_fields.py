"""Text that people write and others are shown: one line of it, which can be seen."""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

# Of a regular expression's class, in Python as in JSON Schema.  Beside control
# characters: separators of lines and paragraphs, and what turns the direction of all
# that follows it, which would spell a name in one way and show it in another.
_UNFIT: Final = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
# Nothing to be seen of these, although most are no white space to Unicode: soft
# hyphens, joiners, fillers of Hangul, the empty pattern of Braille, and the like.
_BLANK: Final = (
    r"\s\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0"
)
_LINE: Final = f"^[^{_UNFIT}]*$"
_SOME_LINE: Final = f"^[^{_UNFIT}]*[^{_BLANK}{_UNFIT}][^{_UNFIT}]*$"


def described(**keywords: str) -> FieldInfo:
    """Add `keywords` to a field's schema."""
    field: FieldInfo = Field(json_schema_extra=dict(keywords))
    return field


def _one_line(text: str) -> str:
    """Trim, to nothing where nothing shows; refuse what has no place in one line."""
    # Cs: halves of characters, which no store takes.
    halves = any(unicodedata.category(letter) == "Cs" for letter in text)
    if halves or re.search(f"[{_UNFIT}]", text):
        raise ValueError("must be one line of text")
    return text.strip() if re.search(f"[^{_BLANK}]", text) else ""


def _something(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


Line = Annotated[str, AfterValidator(_one_line), described(pattern=_LINE)]
SomeLine = Annotated[
    str,
    AfterValidator(_one_line),
    AfterValidator(_something),
    described(pattern=_SOME_LINE),
]
