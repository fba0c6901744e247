#!/usr/bin/env python3
"""Fails if a file, a function body or a parameter list is larger than the house allows.

usage: tools/check_sizes.py [-v] [ROOT]      -v also prints what is over the aim

A file between the limits "ask why" and "refuse" needs a line in REASONS. Generated files (their first line says
"Generated") are exempt. The C++ reader is simple: it blanks comments, text and preprocessor lines, then follows braces.
"""
import re
import sys
from pathlib import Path

# what: (aim, ask why, refuse)
LIMITS = {
    "source file": (200, 400, 600),
    "public header": (120, 200, 300),
    "function body": (30, 60, 100),
    "parameters": (5, 7, 9),
    "example": (80, 80, 80),
    "top CMakeLists.txt": (60, 60, 60),
}

# Files over "ask why": path -> the reason. An entry that is not needed any more is an error.
REASONS = {
    "src/tasks/option_table.cpp": "one table of all options, two lines each",
    "src/formats/c_header.cpp": "one walk over all layers, each with the code that it becomes",
    "src/layers/training_memory.cpp": "one walk over all layers, each with the memory that it takes",
    "src/models/inspect.cpp": "one walk over all layers, each with what a reader is told of it",
    "include/carousel/layers.h": "all layers of a Sequential on one page, each a few lines of contract",
}

FOLDERS = ("src", "include", "apps", "tests", "bench", "fuzz", "examples", "tools", "cmake", "python", ".ci")
CPP = {".h", ".cpp", ".inc"}
TEXT = CPP | {".py", ".sh", ".cmake", ".ts", ".css", ".html"}
CONTROL = {"if", "for", "while", "switch", "catch", "do", "else", "return", "sizeof"}
LITERAL = re.compile(r'//[^\n]*|/\*.*?\*/|\bR"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                     r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)
NOT_PARAMETERS = {"alignas", "decltype", "noexcept", "requires", "explicit", "__attribute__", "__declspec", "declspec"}


def blank(text):
    """`text` with comments, literals and preprocessor lines replaced by blanks; lines stay where they are.

    Of #if ... #else only the first branch stays, so that braces balance."""
    def keep_lines(match):
        found = match[0]
        if found.startswith(("'", '"', "R")):
            return '""' + "\n" * found.count("\n")
        return " " + "\n" * found.count("\n")

    text = LITERAL.sub(keep_lines, text)
    lines, skipping, continued = [], [], False  # skipping: one entry per open #if, true inside its #else
    for line in text.split("\n"):
        directive = re.match(r"\s*#\s*(\w*)", line)
        if continued or directive:
            word = directive[1] if directive and not continued else ""
            if word.startswith("if"):
                skipping.append(False)
            elif word in ("else", "elif") and skipping:
                skipping[-1] = True
            elif word == "endif" and skipping:
                skipping.pop()
            continued = line.endswith("\\")
            line = ""
        lines.append("" if any(skipping) else line)
    return "\n".join(lines)


def split_head(head):
    """(name, parameter text, what follows) of the function that the text before a '{' begins; None if it is none."""
    head = re.sub(r"\[\[.*?\]\]", " ", head)
    head = re.sub(r"^\s*(?:(?:public|private|protected)\s*:\s*)+", "", head)
    while (match := re.match(r"\s*template\s*<", head)):
        depth, at = 1, match.end()
        while at < len(head) and depth:
            depth += {"<": 1, ">": -1}.get(head[at], 0)
            at += 1
        head = head[at:]
    at = 0
    while (opening := head.find("(", at)) >= 0:
        depth, closing = 1, opening + 1
        while closing < len(head) and depth:
            depth += {"(": 1, ")": -1}.get(head[closing], 0)
            closing += 1
        before = head[:opening].rstrip()
        name = re.search(r"(operator\s*\S+|~?\w+|\])$", before)
        if re.search(r"(?<![=!<>])=(?!=)", re.sub(r"operator\s*\S+", "", before)) and not before.endswith("]"):
            return None  # an initialiser
        if name and name[0].split()[0] in CONTROL:
            return None
        if name and name[0] not in NOT_PARAMETERS and not before.endswith("operator"):
            return name[0] if name[0] != "]" else "lambda", head[opening + 1:closing - 1], head[closing:]
        at = closing
    if re.search(r"\]\s*(mutable|noexcept|\s)*$", head) and "=" in head:
        return "lambda", "", ""
    return None


def count_parameters(text):
    if text.strip() in ("", "void"):
        return 0
    depth, commas = 0, 0
    for letter in re.sub(r"->|<<|>=|<=", " ", text):
        depth += {"(": 1, "<": 1, "{": 1, "[": 1, ")": -1, ">": -1, "}": -1, "]": -1}.get(letter, 0)
        commas += letter == "," and depth == 0
    return commas + 1


def functions(text):
    """Yields (line, name, lines of the body, parameters) of every function that `text` defines.

    Raises ValueError if the braces do not balance."""
    text = blank(text)
    stack = []  # one entry per open brace: ("scope" | "function" | "other", start, head)
    head = ""
    line = 1
    for letter in text:
        line += letter == "\n"
        if letter == "{":
            inside = any(kind == "function" for kind, _, _ in stack)
            found = None if inside else split_head(head)
            tail = head.rstrip()
            if not inside and head.count("(") > head.count(")"):
                stack.append(("initialiser", line, head))  # a default value in a parameter list
            elif found and re.search(r"(?<!:):(?!:)", found[2]) and not tail.endswith((")", "}")):
                stack.append(("initialiser", line, head))  # a_{1} in a constructor's list: the head goes on behind it
            elif found and not re.search(r"\b(class|struct|enum|union|namespace)\s+[\w:]+[^()]*$", head):
                stack.append(("function", line, found))
            elif not inside and (tail.endswith(("=", ",", "(", "return")) or "=" in re.sub(r"<[^<>]*>", "", tail)):
                stack.append(("initialiser", line, head))
            else:
                stack.append(("scope", line, None))
            head = ""
        elif letter == "}":
            if not stack:
                raise ValueError(f"line {line}: '}}' without '{{'")
            kind, start, extra = stack.pop()
            head = extra + "{}" if kind == "initialiser" else ""
            if kind == "function":
                yield start, extra[0], max(0, line - start - 1), count_parameters(extra[1])
        elif letter == ";" and head.count("(") == head.count(")"):
            head = ""
        else:
            head += letter
    if stack:
        raise ValueError(f"line {stack[-1][1]}: '{{' without '}}'")


class Check:
    def __init__(self, root, reasons):
        self.root = Path(root)
        self.reasons = reasons
        self.problems = []
        self.notes = []

    def measure(self, what, size, place):
        aim, _, refuse = LIMITS[what]
        if size > refuse:
            self.problems.append(f"{place}: {what} of {size}, at most {refuse}")
        elif size > aim:
            self.notes.append(f"{place}: {what} of {size}, aim {aim}")

    def file(self, path):
        name = path.relative_to(self.root).as_posix()
        text = path.read_text(encoding="utf-8", errors="replace")
        if "Generated" in text.split("\n", 1)[0]:
            return
        what = "source file"
        if name.startswith("include/"):
            what = "public header"
        elif name.startswith("examples/") and path.suffix == ".cpp":
            what = "example"
        elif name == "CMakeLists.txt":
            what = "top CMakeLists.txt"
        lines = text.count("\n")
        self.measure(what, lines, name)
        ask = LIMITS[what][1]
        if lines > ask and name not in self.reasons:
            self.problems.append(f"{name}: {what} of {lines} lines, over {ask} needs a reason in tools/check_sizes.py")
        if lines <= ask and name in self.reasons:
            self.problems.append(f"{name}: has a reason in tools/check_sizes.py but only {lines} lines: remove it")
        if path.suffix in CPP:
            try:
                for line, function, body, parameters in functions(text):
                    self.measure("function body", body, f"{name}:{line}: {function}")
                    self.measure("parameters", parameters, f"{name}:{line}: {function}")
            except ValueError as error:
                self.problems.append(f"{name}: cannot follow the braces: {error}")

    def run(self):
        paths = [self.root / "CMakeLists.txt"] + sorted(self.root.glob("*.sh"))
        for folder in FOLDERS:
            paths += sorted(path for path in (self.root / folder).rglob("*")
                            if path.suffix in TEXT or path.name == "CMakeLists.txt")
        for path in paths:
            if path.is_file():
                self.file(path)
        for name in self.reasons:
            if not (self.root / name).is_file():
                self.problems.append(f"{name}: has a reason in tools/check_sizes.py but does not exist")
        return self.problems


def main():
    arguments = [word for word in sys.argv[1:] if word != "-v"]
    root = arguments[0] if arguments else Path(__file__).resolve().parent.parent
    check = Check(root, REASONS)
    problems = check.run()
    for line in problems + (check.notes if "-v" in sys.argv else []):
        print(line)
    print(f"check_sizes: {len(problems)} problems, {len(check.notes)} over the aim")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
