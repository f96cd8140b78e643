"""`/tasks/recording-…`: what the task queue asks to be done about recordings."""

import flask

from spaces_contract.ids import SpaceId

from ..domain.effects import RecordingStep
from ..service.recording_tasks import RecordingTasks
from .tasks import SpaceTask, carried_out


class RecordingTask(SpaceTask):
    """About one version of a Space's recording."""

    version: int


def add_routes(routes: flask.Blueprint, recordings: RecordingTasks) -> None:
    """Add a route for each step; see `tasks.blueprint` for how they fail."""

    def add(step: RecordingStep) -> None:
        name = f"recording-{step.value}"

        def handle() -> flask.Response:
            return carried_out(name, RecordingTask, lambda body: run(step, body))

        routes.add_url_rule(f"/{name}", name, handle, methods=["POST"])

    def run(step: RecordingStep, body: RecordingTask) -> None:
        space_id = SpaceId(body.space_id)
        match step:
            case RecordingStep.ASK:
                recordings.ask(space_id)
            case RecordingStep.RENDER:
                recordings.render(space_id, body.version)
            case RecordingStep.ERASE_STEMS:
                recordings.erase_stems(space_id)
            case RecordingStep.ERASE:
                recordings.erase(space_id)
            case RecordingStep.EXPIRE:
                recordings.expire(space_id)
            case RecordingStep.CLIP:
                recordings.clips.look(space_id)
            case RecordingStep.ERASE_CLIPS:
                recordings.clips.erase(space_id)
            case RecordingStep.TELL:
                recordings.tell(space_id, body.version)

    for step in RecordingStep:
        add(step)
