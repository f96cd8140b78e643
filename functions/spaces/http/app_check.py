"""Firebase App Check: only apps of ours may call what only apps need."""

from collections.abc import Callable
from typing import Final

from ..service.ports import AppCheck
from .errors import AppCheckRequired
from .operations import Access, Call, Operation

HEADER: Final = "X-Firebase-AppCheck"
# What people call as themselves.  Standard players come with a grant or a listen
# token, which `join` gave an app of ours; link previews, readers of the public API
# and operators' servers have no app.
CHECKED: Final = frozenset({Access.ID_TOKEN})


def guard(app_check: AppCheck | None) -> Callable[[Operation, Call], None]:
    """Return a check that raises AppCheckRequired; of nothing where there is None."""

    def check(operation: Operation, call: Call) -> None:
        # Whoever signs in where nobody must is a person with an app, too.
        if app_check is None or not (operation.access in CHECKED or call.actor):
            return
        token = call.request.headers.get(HEADER, "")
        if not token or not app_check.proves(token):
            raise AppCheckRequired

    return check
