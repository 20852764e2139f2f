#!/usr/bin/env bash
# Pins every dependency with its hashes; run it after changing what a pyproject.toml asks for.
#   dev.txt      what `make test` and `make demo` install (the four packages' needs, Meltano, the tools)
#   plugins.txt  constraints for the environments Meltano makes for the plugins
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-uv}"
common=(--quiet --universal --python-version 3.10 --generate-hashes --no-emit-index-url --no-header --no-annotate
        --no-emit-package ikaroa-sandbox --no-emit-package crm-to-xero
        --no-emit-package tap-salesforce-ikaroa --no-emit-package target-xero)
"$uv" pip compile "${common[@]}" pyproject.toml --group run --group test --group lint -o requirements/dev.txt "$@"
"$uv" pip compile "${common[@]}" sandbox/pyproject.toml transforms/pyproject.toml \
    tap-salesforce-ikaroa/pyproject.toml target-xero/pyproject.toml -c requirements/dev.txt -o requirements/plugins.txt "$@"
