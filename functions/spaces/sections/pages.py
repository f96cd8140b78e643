"""What browsers, chats and phones fetch for a link to a Space."""

from ..adapters.clock import random_space_id, utc_now
from ..adapters.firestore.profiles import FirestoreProfileStore
from ..adapters.firestore.space_finder import FirestoreSpaceFinder
from ..adapters.web_shell import HttpWebShell
from ..http import share, well_known
from ..http.operations import Operation
from ..service.spaces import SpaceService
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations that show links, and say which apps open them."""
    config = parts.config
    showing = SpaceService(
        spaces=parts.spaces,
        profiles=FirestoreProfileStore(parts.client),
        finder=FirestoreSpaceFinder(parts.client),
        effects=parts.effects,
        now=utc_now,
        new_space_id=random_space_id,
    )
    shell = HttpWebShell(config.pages.shell_url)
    return (
        *share.operations(showing, shell, config.public_url),
        *well_known.operations(
            config.pages.apple_app_ids,
            config.pages.android_apps,
            config.pages.web_app,
        ),
    )
