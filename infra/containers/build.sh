#!/bin/sh
# Build both images: build.sh [BASE]. Without BASE one is made of Debian packages.
#   ENGINE  podman (default) or docker
#   TAG     of the images parley-worker and parley-functions (default: latest)
set -eu
cd "$(dirname "$0")/../.."
engine=${ENGINE:-podman}
tag=${TAG:-latest}
base=${1:-}

if [ -z "$base" ]; then
    infra/containers/base.sh
    base=localhost/parley-base
fi

# Behind a proxy with a certificate authority of its own, pip must know it.
set --
if [ "$engine" = podman ] && [ -n "${PIP_CERT:-}" ]; then
    set -- --volume "$PIP_CERT:/etc/ssl/certs/ca-certificates.crt:ro"
fi
for unit in worker functions; do
    "$engine" build --quiet --build-arg "BASE=$base" "$@" \
        --tag "parley-$unit:$tag" --file "infra/containers/$unit.Containerfile" .
done
