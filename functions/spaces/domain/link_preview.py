"""What a link to a Space says of it in a chat."""

from dataclasses import dataclass

from .space import Space
from .states import SpaceState


@dataclass(frozen=True, slots=True)
class LinkPreview:
    """Two lines of text: what it is, and when, by whom and about what."""

    title: str
    description: str


NOWHERE = LinkPreview(
    "Parley", "Live audio rooms: open a Space, or drop in and listen."
)


def preview_of(space: Space) -> LinkPreview:
    """Return the preview of `space` as it is now; times in UTC, for nobody's zone."""
    host = f"{space.host_display_name} (@{space.host_handle})"
    parts = [_when(space), f"hosted by {host}", ", ".join(space.topics)]
    return LinkPreview(
        title=space.title or f"{space.host_display_name}'s Space",
        description=" · ".join(part for part in parts if part),
    )


def _when(space: Space) -> str:
    match space.state:
        case SpaceState.LIVE:
            return "Live now"
        case SpaceState.ENDED:
            return "Ended"
        case SpaceState.CANCELLED:
            return "Cancelled"
        case SpaceState.SCHEDULED if space.scheduled_start is None:
            return "Not started yet"
    return f"Scheduled for {space.scheduled_start:%a, %d %b %Y, %H:%M} UTC"
