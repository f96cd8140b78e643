"""`…/recording/consent` and `/v1/me/receipts`: the caller's own answer, and proof."""

from typing import Final

import flask

from spaces_contract.ids import SpaceId

from ..domain.errors import SpaceNotFound
from ..domain.recording_errors import (
    AnsweredTooOften,
    ConsentNotFound,
    NotAsked,
    NoticeOutdated,
    RecordingClosed,
    RecordingNotFound,
)
from ..service.consents import ConsentService
from ..service.ports import Cursor
from ..service.recording_ports import Answered, Prover
from . import page_tokens
from .errors import InvalidPageToken
from .languages import lang_of
from .operations import Access, Call, Operation
from .recording_schemas import (
    ConsentBody,
    ConsentView,
    KeysView,
    KeyView,
    MyAnswerView,
    ReceiptsQuery,
    ReceiptsView,
)
from .recordings import OF_SPACE, ONE, recording_id
from .replies import json_reply, page

KEYS_PATH: Final = "/.well-known/parley-keys.json"
KEYS_MAX_AGE_S: Final = 3_600
WITHDRAW_ERRORS: Final = (SpaceNotFound, RecordingNotFound, ConsentNotFound)


class ConsentResource:
    """Handlers of whoever may be recorded; each about the caller alone."""

    def __init__(self, consents: ConsentService, prover: Prover) -> None:
        self._consents = consents
        self._prover = prover

    def get(self, call: Call) -> flask.Response:
        """Show the caller's answer, and the notice."""
        mine = self._consents.get(
            call.space_id, actor_id=call.actor_id, lang=lang_of(call.request)
        )
        return json_reply(ConsentView.of(mine))

    def put(self, call: Call) -> flask.Response:
        """Say yes or no."""
        body = call.read(ConsentBody)
        lang = lang_of(call.request)
        if not body.granted:
            mine = self._consents.decline(
                call.space_id, actor_id=call.actor_id, lang=lang
            )
            return json_reply(ConsentView.of(mine))
        mine = self._consents.grant(
            call.space_id,
            frozenset(body.scopes),
            shown_version=body.notice_version or "",
            actor_id=call.actor_id,
            lang=lang,
        )
        return json_reply(ConsentView.of(mine))

    def withdraw(self, call: Call) -> flask.Response:
        """Take a yes back, by the Space."""
        return self._withdrawn(call, call.space_id)

    def withdraw_from(self, call: Call) -> flask.Response:
        """Take a yes back, by the recording."""
        return self._withdrawn(call, recording_id(call))

    def receipts(self, call: Call) -> flask.Response:
        """Show a page of the caller's answers."""
        query = call.query(ReceiptsQuery)
        after = page_tokens.decode(query.page_token, of=page_tokens.RECEIPTS)
        found = self._consents.answers(
            actor_id=call.actor_id, limit=query.page_size + 1, after=after
        )
        answers, token = page(found, query.page_size, _cursor, of=page_tokens.RECEIPTS)
        views = [MyAnswerView.of(each) for each in answers]
        return json_reply(ReceiptsView(answers=views, next_page_token=token))

    def keys(self, _: Call) -> flask.Response:
        """Show the keys by which receipts and manifests are checked."""
        keys = [KeyView(**key) for key in self._prover.public_keys()]
        reply = json_reply(KeysView(keys=keys))
        reply.headers["Cache-Control"] = f"public, max-age={KEYS_MAX_AGE_S}"
        return reply

    def _withdrawn(self, call: Call, space_id: SpaceId) -> flask.Response:
        mine = self._consents.withdraw(
            space_id, actor_id=call.actor_id, lang=lang_of(call.request)
        )
        return json_reply(ConsentView.of(mine))


def operations(consents: ConsentService, prover: Prover) -> tuple[Operation, ...]:
    """Return the operations on the caller's own consent."""
    resource = ConsentResource(consents, prover)
    return (*_answers(resource), *_proofs(resource))


def _answers(resource: ConsentResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="get_consent",
            method="GET",
            path=f"{OF_SPACE}/consent",
            summary="The caller's own answer, and the notice in their language",
            access=Access.ID_TOKEN,
            handle=resource.get,
            answer=ConsentView,
            errors=(SpaceNotFound,),
        ),
        Operation(
            id="put_consent",
            method="PUT",
            path=f"{OF_SPACE}/consent",
            summary="Say yes or no to being recorded; a no takes back a yes",
            access=Access.ID_TOKEN,
            handle=resource.put,
            body=ConsentBody,
            answer=ConsentView,
            errors=(
                *WITHDRAW_ERRORS,
                NotAsked,
                NoticeOutdated,
                RecordingClosed,
                AnsweredTooOften,
            ),
        ),
        Operation(
            id="withdraw_consent",
            method="DELETE",
            path=f"{OF_SPACE}/consent",
            summary="Take a yes back, at any time; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.withdraw,
            answer=ConsentView,
            errors=WITHDRAW_ERRORS,
        ),
        Operation(
            id="withdraw_from_recording",
            method="DELETE",
            path=f"{ONE}/consent",
            summary="Take a yes back, at any time; again is harmless",
            access=Access.ID_TOKEN,
            handle=resource.withdraw_from,
            answer=ConsentView,
            errors=WITHDRAW_ERRORS,
        ),
    )


def _proofs(resource: ConsentResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="list_receipts",
            method="GET",
            path="/v1/me/receipts",
            summary="The caller's answers with signed receipts, the latest first",
            access=Access.ID_TOKEN,
            handle=resource.receipts,
            query=ReceiptsQuery,
            answer=ReceiptsView,
            errors=(InvalidPageToken,),
        ),
        Operation(
            id="get_proof_keys",
            method="GET",
            path=KEYS_PATH,
            summary="The keys that sign receipts and manifests, as a JWK Set",
            access=Access.PUBLIC,
            handle=resource.keys,
            answer=KeysView,
        ),
    )


def _cursor(answered: Answered) -> Cursor:
    return Cursor(answered.consent.answered_at, answered.consent.space_id)
