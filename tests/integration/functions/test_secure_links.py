"""Signed prefixes, checked by the nginx that operators would put before keys."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from spaces.adapters.secure_links import LIFETIME, SecureLinks
from spaces_contract.hls import KEYS_COOKIE
from spaces_contract.ids import SpaceId
from spaces_contract.paths import live_key_object
from tests.nginx_cdn import KeyStore, NginxCdn, find_nginx
from tests.programs import missing

SECRET = "a secret of thirty-two characters"
SPACE, OTHER = SpaceId("1Space1Space1"), SpaceId("2Space2Space2")
KEY = bytes(range(16))


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxCdn]:
    """Yield an nginx that serves the keys of two Spaces."""
    if find_nginx() is None:
        missing("needs nginx: apt-get install nginx-light")
    folder = tmp_path_factory.mktemp("cdn")
    for space_id in (SPACE, OTHER):
        key = folder / live_key_object(space_id, 1, 7)
        key.parent.mkdir(parents=True)
        key.write_bytes(KEY)
    keys = KeyStore(folder=folder, secret=SECRET)
    with NginxCdn(folder, origin=9, keys=keys) as running:
        yield running


def fetch(
    cdn: NginxCdn, space_id: SpaceId, query: str, *, cookie: str = ""
) -> requests.Response:
    """GET a key as a player would."""
    cookies = {KEYS_COOKIE: cookie} if cookie else {}
    url = f"http://127.0.0.1:{cdn.port}/{live_key_object(space_id, 1, 7)}?{query}"
    return requests.get(url, cookies=cookies, timeout=60)


def test_a_signature_opens_the_keys_of_one_space_for_five_minutes(
    cdn: NginxCdn,
) -> None:
    """
    All keys of that Space and no other's; changed, made up or expired it opens none.
    """
    links = SecureLinks(f"http://127.0.0.1:{cdn.port}", SECRET)
    now = datetime.now(UTC)
    place = links.sign(SPACE, now=now)
    expired = links.sign(SPACE, now=now - LIFETIME - timedelta(seconds=2))
    foreign = SecureLinks("http://cdn", "another secret of this length, 32").sign(
        SPACE, now=now
    )

    answer = requests.get(f"{place.url}/1/7?{place.query}", timeout=60)

    assert (answer.status_code, answer.content) == (200, KEY)
    later = place.query.replace("expires=", "expires=1")
    statuses = {
        "another Space": fetch(cdn, OTHER, place.query).status_code,
        "expired": fetch(cdn, SPACE, expired.query).status_code,
        "longer": fetch(cdn, SPACE, later).status_code,
        "another secret": fetch(cdn, SPACE, foreign.query).status_code,
        "none": fetch(cdn, SPACE, "").status_code,
    }
    assert statuses == {
        "another Space": 403,
        "expired": 410,
        "longer": 403,
        "another secret": 403,
        "none": 403,
    }
    assert timedelta() < LIFETIME <= timedelta(minutes=5)


def test_a_cookie_renews_a_url_that_a_player_began_with(cdn: NginxCdn) -> None:
    """
    The URL's own signature has expired, or is none; the cookie's is as strict as that.
    """
    links = SecureLinks(f"http://127.0.0.1:{cdn.port}", SECRET)
    now = datetime.now(UTC)
    old = links.sign(SPACE, now=now - LIFETIME - timedelta(seconds=2))
    new = links.sign(SPACE, now=now)
    cookies = {
        "newer": new.cookie,
        "expired": old.cookie,
        "another Space": links.sign(OTHER, now=now).cookie,
        "longer": new.cookie.replace(".", ".1"),
        "no signature": "x,y",
    }

    found = {
        name: fetch(cdn, SPACE, old.query, cookie=cookie).status_code
        for name, cookie in cookies.items()
    }

    assert found == {
        "newer": 200,
        "expired": 410,
        "another Space": 403,
        "longer": 403,
        "no signature": 410,  # as if there were none
    }
    assert fetch(cdn, SPACE, new.query).status_code == 200
