#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages that are missing to build Carousel (with --test: to test it as well; with --neon
# or --avx512: to test it in an emulator of such a processor). Needs no network and well under a second when nothing is
# missing. docs/dependencies.md says what each package is for.
set -euo pipefail

packages=(build-essential cmake ninja-build pkg-config python3
          libhwy-dev libicu-dev libsentencepiece-dev libfmt-dev libcli11-dev libtomlplusplus-dev
          nlohmann-json3-dev zlib1g-dev libsndfile1-dev libkissfft-dev libgtest-dev
          librsvg2-bin)

case "${1:-}" in
  "") ;;
  --test) packages+=(clang-format-14 clang-14 valgrind) ;;
  --neon) packages+=(g++-aarch64-linux-gnu qemu-user googletest) ;;
  --avx512) packages+=(bochs bochs-term isolinux syslinux-common xorriso busybox-static) ;;
  --help | -h)
    printf 'usage: tools/setup.sh [--test | --neon | --avx512]\n\nInstalls what is missing of: %s\n' "${packages[*]}"
    exit 0 ;;
  *) echo "setup.sh: unknown option '$1', expected --test, --neon, --avx512 or --help" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: needs Debian or Ubuntu; elsewhere install the libraries of docs/dependencies.md by hand" >&2
  exit 1
fi

installed=$(dpkg-query -W -f='${binary:Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null |
            sed -n 's/^\([^ :]*\).* installed$/\1/p' || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF "$package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: neither root nor sudo is at hand to install missing packages; as root run:" >&2
    echo "  apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup.sh: installing ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
