#!/bin/sh
# Compile pyproject.toml's groups; all agree with the one that tests run with.
set -eu
uv=$1
compile() {
    group=$1 output=$2
    shift 2
    "$uv" pip compile pyproject.toml --group "$group" --quiet --universal \
        --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make lock" --output-file "$output" "$@"
}
compile dev tests/requirements.txt
compile functions functions/requirements.txt --constraint tests/requirements.txt
compile worker media_worker/requirements.txt --constraint tests/requirements.txt
compile local infra/local/requirements.txt --constraint tests/requirements.txt
compile bench tests/benchmarks/requirements.txt --constraint tests/requirements.txt
compile cloud infra/cloud/requirements.txt
compile audit infra/security/requirements.txt
