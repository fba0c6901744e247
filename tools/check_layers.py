#!/usr/bin/env python3
"""Fails if an #include or a CMake link points the wrong way in the house.

usage: tools/check_layers.py [ROOT]

What a folder may use stands in MAY_USE, the arrow diagram of the architecture. A public header belongs to one folder
(OWNER), counts as a part of it, and includes only the standard library and other public headers.
"""
import re
import sys
from pathlib import Path

# folder of src/ -> the folders right above it in the diagram; what those may use, it may use too.
MAY_USE = {
    "base": [],
    "tensor": ["base"],
    "kernels": ["tensor"],
    "autograd": ["kernels"],
    "cells": ["autograd"],
    "layers": ["cells"],
    "models": ["layers"],
    "train": ["models"],
    "data": ["tensor"],
    "formats": ["models"],
    "tasks": ["train", "data", "formats"],
}

# include/carousel/<header> -> its folder; "api" stands above them all.
OWNER = {
    "error.h": "base",
    "tensor.h": "tensor",
    "autograd.h": "autograd",
    "loss.h": "autograd",
    "operations.h": "autograd",
    "layers.h": "layers",
    "module.h": "layers",
    "recurrent.h": "layers",
    "graph.h": "layers",
    "attention.h": "layers",
    "convolution.h": "layers",
    "model.h": "models",
    "stream.h": "models",
    "stream_pool.h": "models",
    "optim.h": "train",
    "carousel.h": "api",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)
SOURCES = {".h", ".cpp", ".def", ".inc"}


def reach(folder):
    """The folders that `folder` may include: itself and all above it in the diagram."""
    if folder == "api":
        return {"api", *MAY_USE}
    found = {folder}
    for above in MAY_USE[folder]:
        found |= reach(above)
    return found


def sources(top):
    return sorted(path for path in top.rglob("*") if path.suffix in SOURCES and path.is_file())


class Check:
    def __init__(self, root):
        self.root = Path(root)
        self.problems = []
        self.used = {folder: set() for folder in MAY_USE}  # folder -> folders whose headers it includes

    def problem(self, path, line, text):
        self.problems.append(f"{path.relative_to(self.root)}:{line}: {text}")

    def includes(self, path):
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            yield text.count("\n", 0, match.start(1 if match[1] else 2)) + 1, match[1], match[2]

    def target(self, path, line, name):
        """The folder that the include "name" of `path` leads to; None if it leaves the house."""
        if ".." in name.split("/"):
            self.problem(path, line, f'"{name}" climbs with "..": write the path from src/ or include/')
            return None
        if name.startswith("carousel/"):
            return OWNER.get(name.removeprefix("carousel/"))  # one without an owner is reported by public_headers()
        first = name.split("/")[0]
        return first if first in MAY_USE else None

    def public_headers(self):
        for path in sources(self.root / "include"):
            name = path.relative_to(self.root / "include" / "carousel").as_posix()
            if name not in OWNER:
                self.problem(path, 1, "public header without an owner: add it to OWNER in tools/check_layers.py")
                continue
            allowed = reach(OWNER[name])
            for line, quoted, angled in self.includes(path):
                if angled is not None:
                    if "/" in angled or "." in angled:
                        self.problem(path, line, f"public header includes <{angled}>, expected the standard library")
                elif not quoted.startswith("carousel/"):
                    self.problem(path, line, f'public header includes "{quoted}", expected only "carousel/..."')
                else:
                    self.compare(path, line, quoted, OWNER[name], allowed)

    def folders(self):
        top = self.root / "src"
        for path in sources(top):
            folder = path.relative_to(top).parts[0]
            if folder not in MAY_USE:
                self.problem(path, 1, f"folder src/{folder} is not in MAY_USE of tools/check_layers.py")
                continue
            allowed = reach(folder)
            for line, quoted, angled in self.includes(path):
                self.compare(path, line, quoted or angled, folder, allowed)

    def compare(self, path, line, name, folder, allowed):
        target = self.target(path, line, name)
        if target is None:
            return
        if target not in allowed:
            self.problem(path, line, f'{folder} must not include "{name}" of {target}')
        elif folder in self.used:
            self.used[folder].add(target)

    def examples(self):
        """An example includes what an installed Carousel has, public headers and the standard library, and its own
        headers beside it."""
        for path in sources(self.root / "examples"):
            for line, quoted, angled in self.includes(path):
                name = quoted or angled
                beside = quoted and ".." not in quoted.split("/") and (path.parent / quoted).is_file()
                if not beside and not name.startswith("carousel/") and ("/" in name or "." in name):
                    self.problem(path, line, f"example includes {name}, expected <carousel/...> or standard library")

    def links(self):
        """carousel_folder(NAME ... LINKS ...) names only allowed folders, and reaches all that it includes."""
        linked = {}
        for path in sorted((self.root / "src").glob("*/CMakeLists.txt")):
            text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
            for call in re.finditer(r"\bcarousel_folder\(\s*(\w+)([^)]*)\)", text):
                folder, line = call[1], text.count("\n", 0, call.start()) + 1
                if folder != path.parent.name or folder not in MAY_USE:
                    self.problem(path, line, f"carousel_folder({folder}) does not name its folder {path.parent.name}")
                    continue
                linked[folder] = set(re.findall(r"\bcarousel_(\w+)", call[2]))
                for other in sorted(linked[folder] - reach(folder)):
                    self.problem(path, line, f"{folder} must not link carousel_{other}")
        for folder, used in self.used.items():
            if folder not in linked:
                continue
            reached, queue = {folder}, [folder]
            while queue:
                new = linked.get(queue.pop(), set()) - reached
                reached |= new
                queue += new
            for other in sorted(used - reached):
                path = self.root / "src" / folder / "CMakeLists.txt"
                self.problem(path, 1, f"{folder} includes headers of {other} but does not link carousel_{other}")

    def run(self):
        self.public_headers()
        self.folders()
        self.examples()
        self.links()
        return self.problems


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    problems = Check(root).run()
    for line in problems:
        print(line)
    print(f"check_layers: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
