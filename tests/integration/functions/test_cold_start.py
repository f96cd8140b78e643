"""What an instance of the functions loads at its start, in processes of their own."""

import os

from tests.fresh_process import said_by
from tests.unit.functions.test_config import LOCAL
from tests.world import a_private_key

OFFLINE = """
import socket
def refused(*args, **kwargs):
    raise AssertionError("the import opened a connection")
socket.socket.connect = refused
socket.create_connection = refused
socket.getaddrinfo = refused
import functions_framework
for target in ("api", "tasks"):
    app = functions_framework.create_app(target, "main.py")
import main
assert main.api_app.cache_info().currsize == 0, "something was built at import"
print("imported")
"""


def local_environment() -> dict[str, str]:
    """Return the environment of a local deployment, with keys of its own."""
    keys = ("PARLEY_GRANT_PRIVATE_KEY", "PARLEY_PROOF_PRIVATE_KEY")
    made = {name: a_private_key() for name in keys}
    return LOCAL | made | {"PATH": os.environ.get("PATH", "")}


def test_main_is_importable_without_anything() -> None:
    """
    With an empty environment and no network, discovery loads both targets.
    """
    assert said_by(OFFLINE, {}) == "imported\n"


BOTH = """
import main, os, re, sys
from werkzeug.test import Client
from spaces import bootstrap
from spaces.config import Config

found = bootstrap.sections(bootstrap.parts_of(Config.from_env(os.environ)))
assert len(found) == len(bootstrap.LATER) + 1
assert not any(f"spaces.sections.{name}" in sys.modules for name in bootstrap.LATER)
for section in found:
    for operation in section.operations:
        path = re.sub(r"{\\w+}", "x", operation.path)
        for asked in (path, f"{path}/"):
            assert next(each for each in found if each.covers(asked)) is section, asked
for build, path, status in (
    (main.api_app, "/v1/openapi.json", 200),
    (main.tasks_app, "/tasks/sweep", 405),
):
    assert Client(build()).get(path).status_code == status
print("served")
"""


def test_both_applications_build_without_a_connection() -> None:
    """
    With a local configuration both answer before any server of the stack is there,
    and each operation is in the section that its path leads to.
    """
    assert said_by(BOTH, local_environment()) == "served\n"


WITH_APP_CHECK = """
import sys
import main
main.api_app()
assert "firebase_admin" not in sys.modules
print("built")
"""


def test_asking_for_it_makes_no_cold_start_longer() -> None:
    """
    firebase-admin, a fifth of a cold start, is loaded with the first token only.
    """
    env = local_environment() | {"PARLEY_APP_CHECK": '["1:1234567890:ios:abc123"]'}

    assert said_by(WITH_APP_CHECK, env) == "built\n"
