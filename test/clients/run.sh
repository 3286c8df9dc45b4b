#!/bin/sh
# Real clients: makes their environments if need be, builds the program, runs them. Arguments: see run.ts.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/test/clients/setup.sh"
cd "$root"
node scripts/build.mjs
exec node --import tsx test/clients/run.ts "$@"
