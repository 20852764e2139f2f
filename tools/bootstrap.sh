#!/usr/bin/env bash
# Makes .venv with everything `make test` and `make demo` need, pinned and hash-checked. Does nothing when it is current.
# Assumes only Python >= 3.10 and a package index; fetches uv when it is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-}"
if [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11 python3.10 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
            python="$(command -v "$candidate")"
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo "No Python 3.10 or newer found on PATH. Install one, or name it: make PYTHON=/path/to/python3" >&2
    exit 1
fi

stamp=.venv/.current
wanted="$(cat requirements/dev.txt requirements/uv.txt pyproject.toml ./*/pyproject.toml | cksum) $("$python" -V 2>&1)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi

uv="${UV:-$(command -v uv || true)}"
if [ -z "$uv" ]; then
    uv="$PWD/.tools/bin/uv"
    if [ ! -x "$uv" ]; then
        echo "Fetching uv ..."
        if "$python" -m venv .tools >/dev/null 2>&1; then
            .tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
        else # some systems ship Python without venv's parts
            rm -rf .tools
            "$python" -m pip install --quiet --disable-pip-version-check --require-hashes \
                --target .tools/lib -r requirements/uv.txt
            mkdir -p .tools/bin && ln -sf ../lib/bin/uv "$uv"
        fi
    fi
fi

echo "Preparing .venv ($("$python" -V 2>&1)) ..."
rm -f "$stamp"
[ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
"$uv" pip sync --quiet --compile-bytecode --python .venv/bin/python requirements/dev.txt
"$uv" pip install --quiet --python .venv/bin/python --no-deps \
    -e sandbox -e transforms -e tap-salesforce-ikaroa -e target-xero
echo "$wanted" >"$stamp"
