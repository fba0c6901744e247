"""Lets the torch of PyPI be imported without the CUDA libraries that it is linked with (several GB, unused on a CPU).

Run it with the Python that has torch. PyPI's wheel for Linux is built for CUDA, and the loader wants every library that
it names. This writes one small library beside torch's own for each that is missing; its functions do nothing and return
100, "no device". What runs on the CPU is torch's own code, untouched. Needs readelf and gcc.
"""
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

NO_DEVICE, TEXT = 100, '(long) ""'  # what the functions return
VERSIONED = re.compile(r"^([\w.$]+)@@?([\w.]+)")


def readelf(*arguments: str) -> str:
    return subprocess.run(["readelf", "-W", *arguments], check=True, capture_output=True, text=True).stdout


def needed(library: Path) -> list[str]:
    return re.findall(r"\(NEEDED\).*\[(.+)\]", readelf("-d", str(library)))


def symbols(library: Path) -> tuple[set[str], set[str]]:
    """(undefined, defined) names, those with a version as name@version."""
    undefined, defined = set(), set()
    for line in readelf("--dyn-syms", str(library)).splitlines():
        fields = line.split()
        if len(fields) < 8 or not fields[0].endswith(":") or fields[4] == "LOCAL":
            continue
        name = fields[7].replace("@@", "@")
        (undefined if fields[6] == "UND" else defined).add(name)
    return undefined, defined


def versions_of(library: Path) -> dict[str, str]:
    """Version -> the library that must define it, from the table of needed versions."""
    result, file = {}, ""
    for line in readelf("-V", str(library)).splitlines():
        if match := re.search(r"File: (\S+)", line):
            file = match[1]
        elif file and (match := re.search(r"Name: (\S+)\s+Flags", line)):
            result[match[1]] = file
    return result


def on_the_system(name: str) -> bool:
    return f"\t{name} " in subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout


def write_stand_in(folder: Path, name: str, names: dict[str, set[str]]) -> None:
    """`names`: version ("" for none) -> functions."""
    plain = sorted(set().union(*names.values())) if names else []
    code = []
    for symbol in plain:
        code.append(f"long {symbol}(void) {{ return {TEXT if re.search('String|Name', symbol) else NO_DEVICE}; }}")
    source, script = folder / "stand_in.c", folder / "stand_in.map"
    source.write_text("\n".join(code) + "\n")
    blocks = [f"{version} {{ global: {' '.join(s + ';' for s in sorted(found))} }};"
              for version, found in names.items() if version and found]
    script.write_text("\n".join(blocks) + "\n")
    extra = [f"-Wl,--version-script={script}"] if blocks else []
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-O1", "-fno-builtin", f"-Wl,-soname,{name}", *extra, "-o",
                    str(folder / name), str(source)], check=True)
    source.unlink()
    script.unlink()


def main() -> int:
    folder = Path(sysconfig.get_paths()["platlib"]) / "torch" / "lib"
    libraries = sorted(path for path in folder.glob("*.so*") if path.is_file())
    present = {path.name for path in libraries}
    missing = sorted({name for path in libraries for name in needed(path)
                      if name not in present and not on_the_system(name)})
    undefined, defined, owner = set(), set(), {}
    for path in libraries:
        wants, has = symbols(path)
        undefined |= wants
        defined |= has
        owner |= versions_of(path)
    stand_ins: dict[str, dict[str, set[str]]] = {name: {} for name in missing}
    for symbol in undefined:
        if match := VERSIONED.match(symbol):
            if owner.get(match[2]) in stand_ins:
                stand_ins[owner[match[2]]].setdefault(match[2], set()).add(match[1])
        elif symbol not in defined and re.match(r"_*(cu|nccl|nv)", symbol) and missing:
            stand_ins[missing[0]].setdefault("", set()).add(symbol)
    for name, names in stand_ins.items():
        write_stand_in(folder, name, names)
    print(f"torch: {len(missing)} stand-ins for CUDA libraries: {' '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
