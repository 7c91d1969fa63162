#!/bin/sh
# Install Khronos' glTF validator (npm package gltf-validator) where the tests look for it.
#     tests/tools/install_gltf_validator.sh [FOLDER]
set -eu
folder="${1:-${TRONIE_GLTF_VALIDATOR:-${XDG_CACHE_HOME:-$HOME/.cache}/tronie/gltf-validator}}"
mkdir -p "$folder"
npm install --no-audit --no-fund --loglevel=error --prefix "$folder" gltf-validator@2.0.0-dev.3.10
echo "gltf-validator is in $folder"
