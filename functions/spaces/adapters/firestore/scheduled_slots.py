"""How many Spaces a host has scheduled at once: a list that is never exceeded."""

from typing import Any

from google.cloud import firestore

from spaces_contract import paths

from ...domain.errors import ListFull
from ...domain.schedule import MAX_AT_ONCE
from ...domain.space import Space
from ...domain.states import SpaceState
from .profiles import user_path


class ScheduledSlots:
    """
    `users/{uid}/hosting/scheduled`: the host's scheduled Spaces, and some older ones.

    Only creating writes it.  A Space that was started or called off is found out when
    the list is full, so that neither costs a write here.
    """

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def take(self, batch: Any, space: Space) -> None:
        """
        Let `batch` fail unless a place is free for `space` when it is committed.

        Raises:
            ListFull: the host has scheduled as many as there may be.
        """
        ref = self._client.document(f"{user_path(space.creator_id)}/hosting/scheduled")
        snapshot = ref.get()
        listed: list[str] = (snapshot.to_dict() or {}).get("space_ids", [])
        if len(listed) >= MAX_AT_ONCE:
            listed = self._still_scheduled(listed)
        if len(listed) >= MAX_AT_ONCE:
            raise ListFull("scheduled Spaces", MAX_AT_ONCE)
        fields = {"space_ids": [*listed, space.id]}
        if snapshot.exists:
            option = self._client.write_option(last_update_time=snapshot.update_time)
            batch.update(ref, fields, option)
        else:
            batch.create(ref, fields)

    def _still_scheduled(self, space_ids: list[str]) -> list[str]:
        refs = [self._client.document(paths.space(space_id)) for space_id in space_ids]
        waiting = SpaceState.SCHEDULED.value
        found = {doc.id: doc.to_dict() or {} for doc in self._client.get_all(refs)}
        return [each for each in space_ids if found[each].get("state") == waiting]
