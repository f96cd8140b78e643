"""How much is remembered of sessions that gave way."""

from media_worker.room.replaced import MAX_EACH, MAX_PEOPLE, ReplacedSessions
from media_worker.room.session_book import Session
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerKind


def a_session(user: str, number: int) -> Session:
    """Return somebody's session of a grant of its own."""
    return Session(
        session_id=SessionId(f"{user}-{number}"),
        user_id=UserId(user),
        kind=PeerKind.WHEP,
        grant_id=str(number),
    )


def remembers(replaced: ReplacedSessions, session: Session) -> bool:
    """Tell whether `session` is still known as replaced."""
    return replaced.has(
        session.session_id, user_id=session.user_id, grant_id=session.grant_id
    )


def test_one_person_pushes_nobody_else_out() -> None:
    """
    Of a person's replaced sessions the latest few are known, and of others all.
    """
    replaced = ReplacedSessions()
    bo, ana = a_session("bo", 0), [a_session("ana", n) for n in range(10_000)]
    replaced.add(bo, by=None)
    for session in ana:
        replaced.add(session, by=None)

    assert remembers(replaced, bo)
    assert [remembers(replaced, s) for s in ana[-MAX_EACH - 1 :]] == (
        [False] + [True] * MAX_EACH
    )


def test_the_longest_ago_are_forgotten() -> None:
    """
    No more than `MAX_PEOPLE` are remembered.
    """
    replaced = ReplacedSessions()
    people = [a_session(f"u{n}", 0) for n in range(MAX_PEOPLE + 1)]
    for session in people:
        replaced.add(session, by=None)

    assert [remembers(replaced, people[n]) for n in (0, 1, -1)] == [False, True, True]
