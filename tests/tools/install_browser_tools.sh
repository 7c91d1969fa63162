#!/bin/sh
# Install what the browser tests drive Chromium with (npm packages playwright-core and axe-core); Chromium itself is the
# system's.
#     tests/tools/install_browser_tools.sh [FOLDER]
set -eu
folder="${1:-${TRONIE_PLAYWRIGHT:-${XDG_CACHE_HOME:-$HOME/.cache}/tronie/browser-tools}}"
mkdir -p "$folder"
npm install --no-audit --no-fund --loglevel=error --prefix "$folder" playwright-core@1.65.1 axe-core@4.14.1
echo "playwright-core and axe-core are in $folder"
