"""A person's own account."""

from dataclasses import dataclass

from spaces_contract.ids import UserId

from ..domain import profile
from ..domain.errors import ProfileNotFound, StaleRevision
from ..domain.profile import Profile, ProfileEdit
from .ports import Clock, ProfileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileService:
    """Use cases of everybody who is signed in."""

    profiles: ProfileStore
    now: Clock

    def get(self, user_id: UserId) -> Profile:
        """Return the profile; raises ProfileNotFound."""
        found = self.profiles.get(user_id)
        if found is None:
            raise ProfileNotFound
        return found

    def save(
        self, edit: ProfileEdit, *, user_id: UserId, revision: str | None
    ) -> Profile:
        """
        Make or change the profile; only at `revision` where that is given.

        Raises:
            HandleTaken: somebody else has the handle.
            StaleRevision: the stored profile is not at `revision`.
        """
        now = self.now()

        def decide(stored: Profile | None) -> Profile:
            if revision is not None and (not stored or stored.revision != revision):
                raise StaleRevision
            return profile.save(stored, edit, user_id=user_id, now=now)

        return self.profiles.update(user_id, decide)
