#!/bin/sh
# Make localhost/parley-base of Debian packages, unless it is there: needs no registry.
#   ENGINE  podman (default) or docker
set -eu
engine=${ENGINE:-podman}
if "$engine" image inspect localhost/parley-base >/dev/null 2>&1; then
    exit 0
fi
archive=$(mktemp --suffix=.tar)
trap 'rm -f "$archive"' EXIT
mmdebstrap --quiet --variant=minbase \
    --include=python3,python3-venv,ca-certificates bookworm "$archive"
"$engine" import "$archive" localhost/parley-base >/dev/null
