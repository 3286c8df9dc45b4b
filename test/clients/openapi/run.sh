#!/bin/sh
# The OpenAPI document against the program: schemathesis with an administrator's token and without one, and whether the
# client's types are in step. `--write` makes these types anew, and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/setup.sh"
cd "$here/../../.."
node scripts/build.mjs
exec node --import tsx test/clients/openapi/run.ts "$@"
