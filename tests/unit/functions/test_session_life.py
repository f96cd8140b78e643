"""One Space from its opening to its end, over HTTP."""

import jwt

from spaces_contract.grants import FORWARD_AUDIENCE, Forward, body_digest
from spaces_contract.ids import SpaceId
from spaces_contract.roles import PeerKind
from tests.applications import PUBLIC_URL
from tests.builders import AN_OFFER, a_runtime
from tests.world import World


def test_a_space_from_opening_to_end(world: World) -> None:
    """
    A host opens, starts, joins, talks and ends; each answer has what the next needs.
    """
    created = world.call("POST", "/v1/spaces", as_user="host", json={"title": " Tea "})
    path = f"/v1/spaces/{created.get_json()['id']}"
    started = world.call("POST", f"{path}/start", as_user="host")
    joined = world.call("POST", f"{path}/join", as_user="host").get_json()
    world.database.runtimes[SpaceId(created.get_json()["id"])] = a_runtime()
    opened = world.post_sdp(f"{path}/whip", joined["grant"], AN_OFFER)
    session = opened.headers["Location"].removeprefix(PUBLIC_URL)
    bearer = {"Authorization": f"Bearer {joined['grant']}"}
    closed = world.call("DELETE", session, headers=bearer)
    ended = world.call("POST", f"{path}/end", as_user="host")

    assert created.status_code == 201
    assert created.headers["Location"] == PUBLIC_URL + path
    assert created.get_json()["title"] == "Tea"
    assert started.get_json()["state"] == "live"
    assert started.get_json()["epoch"] == 1
    assert joined["role"] == "host"
    assert joined["whip_url"] == f"{PUBLIC_URL}{path}/whip"
    assert (opened.status_code, opened.mimetype) == (201, "application/sdp")
    assert closed.status_code == 204
    assert ended.get_json()["state"] == "ended"
    assert ended.get_json()["end_reason"] == "host_ended"


def test_a_forward_is_bound_to_its_request(world: World) -> None:
    """
    What the worker is shown names the Space, the person, the kind and the body.
    """
    created = world.call("POST", "/v1/spaces", as_user="host", json={}).get_json()
    path = f"/v1/spaces/{created['id']}"
    world.call("POST", f"{path}/start", as_user="host")
    grant = world.call("POST", f"{path}/join", as_user="ana").get_json()["grant"]
    world.database.runtimes[SpaceId(created["id"])] = a_runtime()

    world.post_sdp(f"{path}/whep", grant, AN_OFFER)

    claims = jwt.decode(
        world.workers.forwards[0],
        options={"verify_signature": False},
        audience=FORWARD_AUDIENCE,
    )
    forward = Forward.from_claims(claims)
    assert forward.space_id == created["id"]
    assert (forward.user_id, forward.kind) == ("ana", PeerKind.WHEP)
    assert forward.body_sha256 == body_digest(AN_OFFER)
