"""Relations and devices on Firestore, where they are documents."""

from functools import partial

from spaces.adapters.clock import random_token
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.push_devices import FirestoreDeviceStore
from spaces.domain.registration import MAX_DEVICES
from spaces_contract.ids import UserId
from tests.integration.functions.test_races import Party, at_once
from tests.world import World


def test_a_token_has_one_owner_after_a_rush(
    contended_world: World, contended_client: BoundedClient
) -> None:
    """
    Two who register one token at the same time: one of them has it, and nobody twice.
    """
    token, (ana, bo) = random_token(), Party(contended_world, 2).people

    def put(user: str) -> int:
        body = {"platform": "web", "token": token, "app_version": "1"}
        path = "/v1/me/devices/phone"
        answer = contended_world.call("PUT", path, as_user=user, json=body)
        return answer.status_code

    for _ in range(3):
        assert at_once([lambda: put(ana), lambda: put(bo)]) == [200, 200]
        found = FirestoreDeviceStore(contended_client).of([UserId(ana), UserId(bo)])
        assert [device.token for device in found] == [token]


def test_a_device_that_left_is_not_reached(world: World, client: BoundedClient) -> None:
    """
    A device is reached with its new token only, and not at all once it is deleted.
    """
    (ana,) = Party(world, 1).people
    store, path = FirestoreDeviceStore(client), "/v1/me/devices/phone"
    tokens = [random_token(), random_token()]
    for token in tokens:
        body = {"platform": "web", "token": token, "app_version": "1"}
        world.call("PUT", path, as_user=ana, json=body)

    reached = [device.token for device in store.of([UserId(ana)])]
    world.call("DELETE", path, as_user=ana)

    assert reached == tokens[1:]
    assert store.of([UserId(ana)]) == []


def test_a_device_that_makes_room_is_not_reached(
    world: World, client: BoundedClient
) -> None:
    """
    Of more devices than anybody has, those that came last are reached, and the token
    of the one that was dropped is free.
    """
    (ana,) = Party(world, 1).people
    tokens = [random_token() for _ in range(MAX_DEVICES + 1)]

    def put(n: int, token: str) -> None:
        body = {"platform": "web", "token": token, "app_version": "1"}
        world.call("PUT", f"/v1/me/devices/d{n}", as_user=ana, json=body)
        world.clock.advance(1)

    for n, token in enumerate(tokens):
        put(n, token)
    reached = {d.token for d in FirestoreDeviceStore(client).of([UserId(ana)])}
    put(MAX_DEVICES + 1, tokens[0])
    again = {d.token for d in FirestoreDeviceStore(client).of([UserId(ana)])}

    assert reached == set(tokens[1:])
    assert again == {tokens[0], *tokens[2:]}


def test_a_block_beats_a_join(contended_world: World) -> None:
    """
    Somebody who joins while the host blocks them is out afterwards, in any order.
    """
    party = Party(contended_world, 4)

    def block(user: str) -> int:
        path = f"/v1/me/blocks/{user}"
        return contended_world.call("PUT", path, as_user=party.host).status_code

    for user in party.people:
        at_once(
            [partial(party.post, "join", user, role="speaker"), partial(block, user)]
        )
        assert party.post("join", user) == 403
        assert party.space()["speaker_ids"] == []


def test_a_block_looks_at_what_is_live_first(world: World) -> None:
    """
    Of a host's Spaces, the one that they are harassed in.
    """
    party = Party(world, 0)
    made = [
        world.call("POST", "/v1/spaces", as_user=party.host, json={}).get_json()["id"]
        for _ in range(8)
    ]
    live = party.path.rpartition("/")[2]

    found = world.relations.relations.open_spaces_of(UserId(party.host))

    assert found[0] == live
    assert set(found) == {live, *made}
