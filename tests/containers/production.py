"""A configuration for production that reaches nobody."""

from tests.world import a_private_key

PRODUCTION = {
    "PARLEY_ENVIRONMENT": "production",
    "PARLEY_PROJECT_ID": "demo-containers",
    "PARLEY_PUBLIC_URL": "https://parley.example",
    "PARLEY_CORS_ORIGINS": "https://app.example",
    "PARLEY_GRANT_PRIVATE_KEY": a_private_key(),
    "PARLEY_PROOF_PRIVATE_KEY": a_private_key(),
    "PARLEY_LIVE_EDGE_URL": "gs://parley-live",
    "PARLEY_RECORDINGS_URL": "gs://parley-recordings",
    "PARLEY_RECORDING_KEYS_URL": "gs://parley-recording-keys",
    "PARLEY_TASKS_QUEUE": "projects/p/locations/l/queues/parley",
    "PARLEY_TASKS_TARGET_URL": "https://tasks.parley.example",
    "PARLEY_TASKS_SERVICE_ACCOUNT": "tasks@p.iam.gserviceaccount.com",
    "PARLEY_TASKS_AUDIENCE": "https://tasks.parley.example",
    "PARLEY_LAUNCHER": "container",
    "PARLEY_CONTAINER_ENGINE_URL": "unix:///run/podman/podman.sock",
    "PARLEY_CONTAINER_IMAGE": "localhost/parley-worker:latest",
    "PARLEY_CONTAINER_MEDIA_HOST": "192.0.2.1",
    "PARLEY_CONTAINER_CONTROL_HOST": "10.0.0.1",
    "PARLEY_CONTAINER_PORTS": "41000-41999",
    "PARLEY_WORKER_ENVIRONMENT": '{"PARLEY_LIVE_EDGE_URL": "gs://parley-live"}',
}
