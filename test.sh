#!/usr/bin/env bash
# Builds everything in release mode and runs all tests.
set -euo pipefail

usage="usage: ./test.sh [CTEST OPTION...]

Installs missing packages (apt), builds everything in build/release and runs all tests. Options go to ctest:
  ./test.sh -R cells     only the tests whose name contains 'cells'
  ./test.sh -LE slow     without the slow ones"
case "${1:-}" in --help | -h) echo "$usage"; exit 0 ;; esac

cd "$(dirname "${BASH_SOURCE[0]}")"
bash tools/setup.sh --test
cmake --preset release --log-level=WARNING
cmake --build --preset release
ctest --test-dir build/release --output-on-failure --no-tests=error -j"$(nproc)" "$@"
