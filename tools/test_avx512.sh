#!/usr/bin/env bash
# Builds what CAROUSEL_INFERENCE_ONLY builds and runs its tests of kernels and cells (the streaming step among them) on
# a processor with AVX-512 and VNNI that Bochs emulates: a Linux kernel of Debian's, our tests and busybox, from a
# bootable image. Every instruction set up to AVX3_DL is compared with the references that all are held to.
set -euo pipefail

# What takes longer than all others together: every cut and every float, and tests in double or of the loop around
# cells, which know no instruction set.
filter=-GemmFloat.EveryCut*:Pointwise.FloatFunctions*:AllCells/Checkpoint.*:AllCells/ZoneoutContract.*
filter+=:AllCells/Transition.*:*CentralDifferences*:*EveryNumberOfThreads*
case "${1:-}" in
  "") ;;
  --all) filter=* ;;
  --help | -h) printf 'usage: tools/test_avx512.sh [--all]\n\nWithout --all: %s\n' "$filter"; exit 0 ;;
  *) echo "test_avx512.sh: unknown option '$1', expected --all, --help or nothing" >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash tools/setup.sh --avx512
build=$PWD/build/avx512
cmake -S . -B "$build" -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Release -DCAROUSEL_INFERENCE_ONLY=ON \
  -DCMAKE_EXE_LINKER_FLAGS=-static
cmake --build "$build" --target kernels_tests cells_tests

# The kernel is taken out of its package: installing it would make it this machine's own.
if [ ! -e "$build/kernel/vmlinuz" ]; then
  mkdir -p "$build/kernel"
  package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p')
  (cd "$build/kernel" && apt-get download -qq "$package" && dpkg-deb --fsys-tarfile "$package"_*.deb |
    tar -x --wildcards -O './boot/vmlinuz-*' >vmlinuz.part && mv vmlinuz.part vmlinuz)
fi

root=$build/root image=$build/image
rm -rf "$root" "$image" "$build"/{cd.iso,serial.txt}
mkdir -p "$root/proc" "$image"
cp /bin/busybox "$root/busybox"
strip -o "$root/kernels_tests" "$build/bin/kernels_tests"
strip -o "$root/cells_tests" "$build/bin/cells_tests"
cat >"$root/init" <<INIT
#!/busybox sh
/busybox mount -t proc none /proc
export GTEST_BRIEF=1 GTEST_COLOR=no
for tests in cells kernels; do
  /\${tests}_tests --gtest_filter='$filter' --gtest_output=xml:/\$tests.xml && echo "passed: \$tests"
done
/busybox sed -n 's/.*name="instruction_set" value="\([^"]*\)".*/instruction set: \1/p' /kernels.xml
/busybox reboot -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$image/initrd"
cp "$build/kernel/vmlinuz" /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$image"
# clearcpuid: XSAVEC, XSAVES, PKU and FSRM (fast short REP MOV), in which Bochs 2.7 is not what Linux 6.1 expects.
# A reboot, after a panic as well, is a triple fault, at which Bochs ends.
cat >"$image/isolinux.cfg" <<'CONFIG'
default linux
label linux
  kernel vmlinuz
  append initrd=initrd console=ttyS0 quiet panic=-1 reboot=triple mitigations=off clearcpuid=321,323,515,580
CONFIG
xorriso -as mkisofs -quiet -o "$build/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table "$image" 2>/dev/null

cat >"$build/bochsrc" <<CONFIG
cpu: model=corei7_icelake_u, ips=50000000, reset_on_triple_fault=0
megs: 512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
ata0-master: type=cdrom, path=$build/cd.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$build/serial.txt
plugin_ctrl: speaker=0
display_library: term
log: $build/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
CONFIG
echo continue >"$build/commands"  # Debian's Bochs has a debugger, which asks what to do first

# Bochs draws a screen on a terminal of its own, says which, and waits until somebody reads it.
: >"$build/bochs.out"
TERM=linux bochs -q -f "$build/bochsrc" -rc "$build/commands" </dev/null >"$build/bochs.out" 2>&1 &
screen=
while [ -z "$screen" ] && kill -0 $!; do
  sleep 1
  screen=$(sed -n 's/^Bochs connected to screen "\(.*\)"$/\1/p' "$build/bochs.out")
done
cat "$screen" >/dev/null 2>&1 || true

tr -d '\r' <"$build/serial.txt"
[ "$(grep -c '^passed: ' "$build/serial.txt")" -eq 2 ] && grep -q '^instruction set: AVX3_DL' "$build/serial.txt" || {
  echo "test_avx512.sh: not all tests passed on AVX3_DL; $build/bochs.out and bochs.log may say why" >&2
  exit 1
}
