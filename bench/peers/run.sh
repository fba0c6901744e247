#!/usr/bin/env bash
# Races Carousel against its peers: sets up everything that it needs in build/peers, builds, runs, prints the table.
#
#   bench/peers/run.sh [OPTIONS]      --help says which; README.md says what is measured
#
# PYTHON is the interpreter to make the virtual environment with (python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
peers=bench/peers
environment=build/peers/venv

install() { "$environment/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir "$@" >&2; }

# A package that cannot be had costs only its own rows: they say "not run".
make_environment() {
  echo "run.sh: installing the peers into $environment (4 GB, some minutes)" >&2
  "${PYTHON:-python3}" -m venv "$environment"
  mkdir -p build/peers/tmp
  export TMPDIR=$PWD/build/peers/tmp
  local others line
  others=$(grep -v -e '^#' -e '^torch==' "$peers/requirements.txt")
  if ! install $others; then
    for line in $others; do install "$line" || echo "run.sh: $line cannot be installed" >&2; done
  fi
  if install --no-deps "$(grep '^torch==' "$peers/requirements.txt")"; then
    "$environment/bin/python" "$peers/torch_stand_ins.py" >&2 || true
  fi
  unset TMPDIR
  rm -rf build/peers/tmp
  cp "$peers/requirements.txt" "$environment/installed.txt"
}

for argument in "$@"; do
  if [[ $argument == --help || $argument == -h ]]; then
    exec "${PYTHON:-python3}" "$peers/options.py" --help
  fi
done
cmp --silent "$peers/requirements.txt" "$environment/installed.txt" || make_environment
[[ -f build/release/build.ninja ]] || cmake --preset release >&2
ninja -C build/release carousel_cli bench_peer_carousel >&2
ninja -C build/release bench_peer_onednn >&2 ||
  echo "run.sh: no oneDNN in the build; it needs libdnnl-dev and ocl-icd-opencl-dev" >&2
exec "$environment/bin/python" "$peers/race.py" "$@"
