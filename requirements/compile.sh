#!/usr/bin/env bash
# Pins every dependency with its hashes; run it (`make pins`) after changing what a pyproject.toml asks for.
#   uv.txt       the installer itself
#   dev.txt      what `make test` and `make demo` install: the four packages' needs, Meltano, the tools
#   plugins.txt  constraints for the environments Meltano makes for the plugins
#   tap-salesforce-2.8.1.txt, airbyte-source-salesforce-2.10.3.txt, tap-xero-2.6.0.txt, pyxero-0.9.5.txt,
#   salesforce-bulk-2.2.0.txt
#                clients of others that the sandbox is tried with, each in an environment of its own
set -euo pipefail
cd "$(dirname "$0")/.."

pin() {
    "${UV:-uv}" pip compile --quiet --universal --python-version 3.10 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate \
        --no-emit-package ikaroa-sandbox --no-emit-package crm-to-xero \
        --no-emit-package tap-salesforce-ikaroa --no-emit-package target-xero "$@"
}

pin requirements/uv.in -o requirements/uv.txt
pin pyproject.toml --group run --group test --group lint -o requirements/dev.txt
pin {sandbox,transforms,tap-salesforce-ikaroa,target-xero}/pyproject.toml \
    -c requirements/dev.txt -o requirements/plugins.txt
pin - -o requirements/tap-salesforce-2.8.1.txt <<<'tap-salesforce==2.8.1'
pin - -o requirements/airbyte-source-salesforce-2.10.3.txt <<<'airbyte-source-salesforce==2.10.3'
pin - -o requirements/tap-xero-2.6.0.txt <<<$'tap-xero==2.6.0\nsix'  # six: it imports what it does not ask for
pin - -o requirements/pyxero-0.9.5.txt <<<'pyxero==0.9.5'
pin - -o requirements/salesforce-bulk-2.2.0.txt <<<'salesforce-bulk==2.2.0'
