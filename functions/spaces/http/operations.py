"""Operations of the API as a table: what is served is what is documented."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

import flask
import pydantic
from pydantic import BaseModel
from werkzeug.exceptions import RequestEntityTooLarge

from spaces_contract.control import ControlError
from spaces_contract.ids import (
    SESSION_ID_PATTERN,
    SPACE_ID_PATTERN,
    USER_ID_PATTERN,
    SessionId,
    SpaceId,
    UserId,
)
from spaces_contract.media import MAX_SDP_BYTES, SDP_CONTENT_TYPE

from ..domain.capability import Capability
from ..domain.errors import ParticipantNotFound, SpaceError, SpaceNotFound
from ..service.errors import GrantMissing, IdTokenMissing, WorkerRefused
from .errors import (
    BodyTooLarge,
    InvalidField,
    InvalidHeader,
    MalformedJson,
    UnknownField,
    UnsupportedMediaType,
)

M = TypeVar("M", bound=BaseModel)

MAX_BODY_BYTES: Final = 64 * 1024
JSON_CONTENT_TYPE: Final = "application/json"
KEY_PATTERN: Final = re.compile(r"[\x21-\x7e]{1,255}")


class Access(StrEnum):
    """What an operation wants to see."""

    PUBLIC = "public"
    OPTIONAL = "optional"  # shows more to whoever is signed in
    ID_TOKEN = "id_token"  # noqa: S105 - a word, not a token
    GRANT = "grant"
    LISTEN_TOKEN = "listen_token"  # noqa: S105 - a word; in the query, or a cookie
    OPERATOR = "operator"  # checked by the handler itself, which has the keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One method on one path.

    Args:
        path: In OpenAPI's form, `/v1/spaces/{space_id}`.
        answer: Model of the JSON body; None where it is not JSON, or there is none.
        body: Model of the JSON body; None where there is none.
        query: Model of the query parameters; None where there are none.
        invalid_answer: Model of the 400 that invalid parameters get, where they get
            no problem of ours.
        page: Content type of the answer where it is a page, not JSON.
        page_statuses: Other statuses with which the page may come.
        sdp: SDP comes in and goes out, instead of JSON.
        needs: What the calling app must be able to do.
        creates: The answer names a new resource in `Location`.
        errors: What may be refused beyond what the fields above imply.
    """

    id: str
    method: str
    path: str
    summary: str
    access: Access
    handle: Callable[["Call"], flask.Response]
    status: int = 200
    answer: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: type[BaseModel] | None = None
    invalid_answer: type[BaseModel] | None = None
    page: str | None = None
    page_statuses: tuple[int, ...] = ()
    sdp: bool = False
    creates: bool = False
    idempotency_key: bool = False
    if_match: bool = False
    needs: Capability | None = None
    errors: tuple[type[SpaceError], ...] = ()
    refusals: tuple[ControlError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, checked as far as its operation says."""

    operation: Operation
    params: Mapping[str, str]
    actor: UserId | None = None
    grant: str = ""
    request: flask.Request = field(default_factory=lambda: flask.request)

    @property
    def actor_id(self) -> UserId:
        """The caller's uid, of an operation with `Access.ID_TOKEN`."""
        if self.actor is None:
            raise IdTokenMissing
        return self.actor

    @property
    def space_id(self) -> SpaceId:
        """The Space in the path; raises SpaceNotFound where it cannot be one."""
        if not SPACE_ID_PATTERN.fullmatch(self.params["space_id"]):
            raise SpaceNotFound
        return SpaceId(self.params["space_id"])

    @property
    def user_id(self) -> UserId:
        """The person in the path; raises ParticipantNotFound where it is none."""
        if not USER_ID_PATTERN.fullmatch(self.params["user_id"]):
            raise ParticipantNotFound
        return UserId(self.params["user_id"])

    @property
    def session_id(self) -> SessionId:
        """The session in the path; raises WorkerRefused where it cannot be one."""
        if not SESSION_ID_PATTERN.fullmatch(self.params["session_id"]):
            detail = "There is no such session."
            raise WorkerRefused(ControlError.SESSION_NOT_FOUND, detail)
        return SessionId(self.params["session_id"])

    def read(self, model: type[M]) -> M:
        """
        Return the JSON body; where it may be missing, that of `{}`.

        Raises:
            UnsupportedMediaType, BodyTooLarge, MalformedJson, UnknownField,
            InvalidField.
        """
        if model is not self.operation.body:
            raise TypeError(f"{self.operation.id} does not document {model.__name__}")
        data = self.raw()
        if not data and not self.operation.body_required:
            data = b"{}"
        elif self.request.mimetype != JSON_CONTENT_TYPE:
            raise UnsupportedMediaType(JSON_CONTENT_TYPE)
        return _checked(lambda: model.model_validate_json(data))

    def query(self, model: type[M]) -> M:
        """Return the query parameters; raises as `read` does."""
        if model is not self.operation.query:
            raise TypeError(f"{self.operation.id} does not document {model.__name__}")
        given = self.request.args.to_dict()
        return _checked(lambda: model.model_validate_strings(given))

    def raw(self) -> bytes:
        """Return the body; raises BodyTooLarge."""
        try:
            return self.request.get_data()
        except RequestEntityTooLarge:
            raise BodyTooLarge(MAX_BODY_BYTES) from None

    def sdp(self) -> bytes:
        """
        Return the offer, whatever it says.

        Raises:
            UnsupportedMediaType: it does not say that it is SDP.
            WorkerRefused: it is too large to be read.
        """
        if self.request.mimetype != SDP_CONTENT_TYPE:
            raise UnsupportedMediaType(SDP_CONTENT_TYPE)
        try:
            return self.raw()
        except BodyTooLarge:
            detail = f"An offer has at most {MAX_SDP_BYTES} bytes."
            raise WorkerRefused(ControlError.SDP_TOO_LARGE, detail) from None

    def if_match(self) -> str | None:
        """
        Return the revision in `If-Match`; None where any will do.

        Raises:
            InvalidHeader: it is not one strong entity tag.
        """
        header = self.request.headers.get("If-Match", "*").strip()
        if header == "*":
            return None
        if len(header) < 3 or not (header[0] == header[-1] == '"'):
            raise InvalidHeader('Send If-Match: "<ETag>", as it was answered.')
        return header[1:-1]

    def idempotency_key(self) -> str | None:
        """
        Return the `Idempotency-Key`, if there is one.

        Raises:
            InvalidHeader: it is not 1 to 255 visible characters.
        """
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not KEY_PATTERN.fullmatch(key):
            raise InvalidHeader("An Idempotency-Key has 1 to 255 visible characters.")
        return key


Verify = Callable[[str], UserId]
Guard = Callable[[Operation, Call], None]


def perform(
    operation: Operation,
    params: Mapping[str, str],
    verify_id_token: Verify,
    guards: Sequence[Guard],
) -> flask.Response:
    """Answer the request at hand; `guards` see it first, and raise to refuse it."""
    token = _bearer()
    actor, grant = None, ""
    match operation.access:
        case Access.ID_TOKEN:
            actor = verify_id_token(token or _raise(IdTokenMissing()))
        case Access.OPTIONAL if token:
            actor = verify_id_token(token)
        case Access.GRANT:
            grant = token or _raise(GrantMissing())
    if actor is not None:
        flask.g.uid = actor
    call = Call(operation=operation, params=params, actor=actor, grant=grant)
    for guard in guards:
        guard(operation, call)
    return operation.handle(call)


def bearer_token(header: str) -> str | None:
    """Return the token of an `Authorization` header, if it is a bearer's."""
    scheme, _, token = header.partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None


def _bearer() -> str | None:
    return bearer_token(flask.request.headers.get("Authorization", ""))


def _raise(error: SpaceError) -> str:
    raise error


def _checked(validate: Callable[[], M]) -> M:
    try:
        return validate()
    except pydantic.ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
    if any(each["type"] == "json_invalid" for each in found):
        raise MalformedJson
    errors = [{"pointer": _pointer(e["loc"]), "detail": e["msg"]} for e in found]
    if any(each["type"] == "extra_forbidden" for each in found):
        raise UnknownField(errors)
    raise InvalidField(errors)


def _pointer(location: tuple[Any, ...]) -> str:
    """RFC 6901: the place in the body that is wrong."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    return "".join(f"/{step}" for step in steps)
