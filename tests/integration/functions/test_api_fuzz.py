"""
schemathesis over the OpenAPI document: every call, valid and invalid, all its checks.

Seeded and bounded; what a schema cannot say of a value, a format says here.
"""

from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from spaces.http.operations import Access
from spaces_contract.ids import UserId
from tests.applications import ADMIN_KEY
from tests.builders import (
    AN_OFFER,
    HOST,
    NOW,
    SPACE_ID,
    a_grant,
    a_participant,
    a_profile,
    a_runtime,
    a_space,
)
from tests.world import World

ANA = UserId("ana")
EXAMPLES = 4  # of each call, beside the cases that cover its schema
# Refusals of what is valid in itself: stale versions, and keys used before.
CONFIG = {
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", 304, 401, 403, 404, 409, 412, "5xx"]
        }
    }
}
FORMATS = {
    "page-token": st.just(""),  # another is good only where it was handed out
    "iana-time-zone": st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"]),
    "date-time": st.integers(6 * 60, 364 * 24 * 3600).map(
        lambda ahead_s: (NOW + timedelta(seconds=ahead_s)).isoformat()
    ),
}


@pytest.fixture(scope="module")
def world() -> World:
    """Return a deployment in which a Space is live and its worker is ready."""
    world = World()
    for user_id in (HOST, UserId("ana"), UserId("bo")):
        world.database.put_profile(a_profile(user_id))
    world.database.put_space(a_space())
    world.database.put_member(SPACE_ID, a_participant("ana"))
    world.database.runtimes[SPACE_ID] = a_runtime()
    return world


@pytest.fixture(scope="module")
def api(world: World) -> Any:
    """Return the document as schemathesis loads it from the application."""
    for name, strategy in FORMATS.items():
        schemathesis.openapi.format(name, strategy)
    config = SchemathesisConfig.from_dict(CONFIG)
    return schemathesis.openapi.from_wsgi("/v1/openapi.json", world.api, config=config)


@schemathesis.serializer("application/sdp")
def offer(_: Any, value: Any) -> Any:
    """Send an offer that a worker takes, whatever was made up."""
    return AN_OFFER


schema = schemathesis.pytest.from_fixture("api")


@pytest.mark.timeout(600)  # it is one test to pytest, on however busy a machine
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_every_call(case: Any, world: World) -> None:
    """
    No call answers what the document does not say, or takes what it forbids.
    """
    # schemathesis calls an empty header valid, as if it were none; it is refused.
    assume((case.headers or {}).get("If-Match") != "")

    case.call_and_validate(headers=_signed_in(case, world))


def _signed_in(case: Any, world: World) -> dict[str, str]:
    tokens = {
        Access.ID_TOKEN: "uid:ana",
        Access.GRANT: world.signer.sign_grant(a_grant()),
        Access.OPERATOR: ADMIN_KEY,
    }
    schemes = case.operation.definition.raw.get("security", [])
    names = [name for scheme in schemes for name in scheme]
    if names == [Access.LISTEN_TOKEN]:
        given = world.listening.service.pass_for(SPACE_ID, ANA, anonymous=False)
        case.query = {**(case.query or {}), "t": given.token}
        return {}
    return {"Authorization": f"Bearer {tokens[names[0]]}"} if names else {}
