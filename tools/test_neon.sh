#!/usr/bin/env bash
# Builds what CAROUSEL_INFERENCE_ONLY builds for 64-bit ARM with Debian's cross compiler, and runs its tests of
# kernels and cells (the streaming step among them) under qemu-user: NEON is compared with the references that every
# instruction set is held to.
set -euo pipefail

for part in "$@"; do
  case "$part" in
    kernels | cells | models) ;;
    --help | -h) echo "usage: tools/test_neon.sh [kernels] [cells] [models], by itself all"; exit 0 ;;
    *) echo "test_neon.sh: unknown part '$part', expected kernels, cells, models, --help or nothing" >&2; exit 2 ;;
  esac
done
[ $# -gt 0 ] || set -- kernels cells models

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/setup.sh --neon
build=$PWD/build/neon
root=$build/root

# Only headers are needed of what stands on this machine; googletest is compiled from Debian's sources.
mkdir -p "$root/include"
for header in hwy fmt nlohmann; do ln -sfn "/usr/include/$header" "$root/include/$header"; done

cross=(-G Ninja --log-level=WARNING -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake"
       -DCMAKE_FIND_ROOT_PATH="$root" -DCMAKE_INSTALL_PREFIX="$root")
if [ ! -e "$root/lib/libgtest.a" ]; then
  cmake -S /usr/src/googletest -B "$build/googletest" "${cross[@]}" -DBUILD_GMOCK=OFF \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  cmake --build "$build/googletest" --target install >/dev/null
fi
cmake -S . -B "$build" "${cross[@]}" -DCMAKE_BUILD_TYPE=Release -DCAROUSEL_INFERENCE_ONLY=ON
cmake --build "$build" --target "${@/%/_tests}"
for tests in "$@"; do
  qemu-aarch64 -L /usr/aarch64-linux-gnu "$build/bin/${tests}_tests" --gtest_brief=1
done
