"""A person's account as others see it."""

from dataclasses import dataclass, replace
from datetime import datetime

from spaces_contract.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """
    One account.

    Args:
        handle: Unique without regard to case; 1 to 15 of `[A-Za-z0-9_]`.
        protected: Protected accounts cannot host.
        revision: Opaque name of the stored version; empty before it is stored.
    """

    user_id: UserId
    handle: str
    display_name: str
    protected: bool
    created_at: datetime
    updated_at: datetime
    revision: str = ""

    @property
    def handle_key(self) -> str:
        """The handle as it is compared."""
        return self.handle.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEdit:
    """What a person says of themselves; bounds are checked already."""

    handle: str
    display_name: str
    protected: bool = False


def save(
    stored: Profile | None, edit: ProfileEdit, *, user_id: UserId, now: datetime
) -> Profile:
    """Return the profile after `edit`; `stored` itself where nothing changes."""
    if stored is None:
        return Profile(
            user_id=user_id,
            handle=edit.handle,
            display_name=edit.display_name,
            protected=edit.protected,
            created_at=now,
            updated_at=now,
        )
    edited = replace(
        stored,
        handle=edit.handle,
        display_name=edit.display_name,
        protected=edit.protected,
    )
    return stored if edited == stored else replace(edited, updated_at=now)
