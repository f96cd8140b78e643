"""Words of Spaces: folded alike when they are kept and when they are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.domain import search
from spaces.domain.search import MAX_TERMS, SearchQuery
from tests.builders import a_space


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Tea & Bridges", ("tea", "bridges")),
        ("ÉCOLE, école", ("ecole",)),
        ("Straße Ⅷ", ("strasse", "viii")),
        ("ﬁne_print don't", ("fine", "print", "don", "t")),
        ("हिन्दी", ("हिनदी",)),
        ("東京タワー", ("東", "京", "タ", "ワ", "ー")),
        ("  ,.!  ", ()),
    ],
)
def test_words_are_folded(text: str, words: tuple[str, ...]) -> None:
    """
    Case, accents and forms of a letter make no difference; signs part words.
    """
    assert search.words_of(text) == words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tea", True),
        ("TÉA", True),
        ("te", True),
        ("bri", True),
        ("bridges tea", True),
        ("tea bri", True),
        ("te bridges", False),  # only the last word may be unfinished
        ("ea", False),
        ("tea party", False),
        ("jazz", True),
    ],
)
def test_all_words_and_the_beginning_of_the_last(query: str, found: bool) -> None:
    """
    Every word must be there, in title or topics, and the last one may go on.
    """
    space = a_space(title="Tea and bridges", topics=("Jazz",))
    wanted = search.parse(query)

    assert wanted is not None
    assert search.matches(wanted, space) is found


def test_signs_ask_for_nothing() -> None:
    """
    A query without a word is none.
    """
    assert search.parse("?! …") is None


@given(title=st.text(max_size=70), topics=st.lists(st.text(max_size=30), max_size=3))
def test_what_matches_is_kept_under_the_term(title: str, topics: list[str]) -> None:
    """
    Whatever a Space is called, it is kept under the term of each query for its words.
    """
    space = a_space(title=title, topics=tuple(topics))
    terms = search.terms_of(title, topics)

    assert len(terms) <= MAX_TERMS
    for word in search.words_of(" ".join((title, *topics))):
        for end in {1, len(word)}:
            query = SearchQuery((), word[:end])
            assert search.matches(query, space)
            assert query.term in terms or len(terms) == MAX_TERMS
