"""Which language a client would like to read."""

import flask

from ..domain.notice import FALLBACK_LANG, TEXTS


def lang_of(request: flask.Request) -> str:
    """Return the language of the notice that suits `Accept-Language` best."""
    return request.accept_languages.best_match(list(TEXTS), FALLBACK_LANG)
