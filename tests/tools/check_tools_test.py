"""Tests of the repository's own checks: each rule finds the snippet that breaks it and passes the one that does not.

Oracle: snippets written for one rule each, whose only fault is known.
"""
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_format  # noqa: E402
import check_layers  # noqa: E402
import check_sizes  # noqa: E402


class Tree(unittest.TestCase):
    """A small repository in a temporary folder."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = Path(self.folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


class Layers(Tree):
    def problems(self):
        return check_layers.Check(self.root).run()

    def assert_one(self, expected):
        found = self.problems()
        self.assertEqual(len(found), 1, found)
        self.assertIn(expected, found[0])

    def test_arrows_are_those_of_the_architecture(self):
        self.assertEqual(check_layers.reach("data"), {"data", "tensor", "base"})
        self.assertNotIn("data", check_layers.reach("train"))
        self.assertNotIn("train", check_layers.reach("formats"))
        self.assertEqual(check_layers.reach("tasks"), set(check_layers.MAY_USE))

    def test_include_downwards_passes(self):
        self.write("src/cells/CMakeLists.txt", "carousel_folder(cells SOURCES a.cpp LINKS carousel_kernels)\n")
        self.write("src/kernels/CMakeLists.txt", "carousel_folder(kernels SOURCES b.cpp)\n")
        self.write("src/cells/a.cpp", '#include "kernels/b.h"\n#include <vector>\n')
        self.assertEqual(self.problems(), [])

    def test_include_upwards_is_found_with_its_line(self):
        self.write("src/base/a.cpp", '#include <vector>\n\n#  include "layers/scan.h"\n')
        self.assert_one('src/base/a.cpp:3: base must not include "layers/scan.h" of layers')

    def test_data_must_not_include_models_in_any_quotes(self):
        self.write("src/data/text/a.h", "#include <models/m.h>\n")
        self.assert_one("data must not include")

    def test_climbing_with_dots_is_found(self):
        self.write("src/base/a.h", '#include "../models/m.h"\n')
        self.assert_one("climbs")

    def test_public_header_counts_as_a_part_of_its_folder(self):
        self.write("include/carousel/optim.h", "#include <span>\n")
        self.write("src/layers/a.cpp", '#include "carousel/optim.h"\n')
        self.assert_one('layers must not include "carousel/optim.h" of train')

    def test_public_header_must_not_include_upwards(self):
        self.write("include/carousel/error.h", '#include "carousel/tensor.h"\n')
        self.assert_one("base must not include")

    def test_public_header_without_owner_is_found(self):
        self.write("include/carousel/secret.h", "#include <span>\n")
        self.assert_one("without an owner")

    def test_public_header_must_not_include_third_parties_or_sources(self):
        self.write("include/carousel/error.h", "#include <fmt/core.h>\n")
        self.write("include/carousel/tensor.h", '#include "base/fail.h"\n')
        self.assertEqual(len(self.problems()), 2)

    def test_example_must_not_include_sources(self):
        self.write("examples/a.cpp", '#include <carousel/carousel.h>\n#include "base/fail.h"\n')
        self.assert_one("examples/a.cpp:2")

    def test_example_may_include_what_lies_beside_it_but_not_climb(self):
        self.write("examples/parts/b.h", "#pragma once\n")
        self.write("examples/a.cpp", '#include "parts/b.h"\n')
        self.assertEqual(self.problems(), [])
        self.write("examples/parts/c.h", '#include "../parts/b.h"\n')
        self.assert_one("examples/parts/c.h:1")

    def test_link_upwards_is_found(self):
        self.write("src/base/CMakeLists.txt", "carousel_folder(base\n  SOURCES a.cpp\n  LINKS carousel_tensor)\n")
        self.assert_one("base must not link carousel_tensor")

    def test_include_without_a_link_is_found(self):
        self.write("src/tensor/CMakeLists.txt", "carousel_folder(tensor SOURCES a.cpp LINKS fmt::fmt)\n")
        self.write("src/tensor/a.cpp", '#include "base/fail.h"\n')
        self.assert_one("does not link carousel_base")


class Sizes(Tree):
    def problems(self, reasons=None):
        return check_sizes.Check(self.root, reasons or {}).run()

    def test_long_file_needs_a_reason_and_a_longer_one_is_refused(self):
        self.write("src/base/a.cpp", "\n" * 400)
        self.assertEqual(self.problems(), [])
        self.write("src/base/a.cpp", "\n" * 401)
        self.assertEqual(len(self.problems()), 1)
        self.assertEqual(self.problems({"src/base/a.cpp": "a table"}), [])
        self.write("src/base/a.cpp", "\n" * 601)
        self.assertEqual(len(self.problems({"src/base/a.cpp": "a table"})), 1)

    def test_reason_that_is_not_needed_is_found(self):
        self.write("src/base/a.cpp", "\n")
        self.assertEqual(len(self.problems({"src/base/a.cpp": "was long", "src/base/gone.cpp": "was there"})), 2)

    def test_public_header_example_and_top_file_have_their_own_limits(self):
        self.write("include/carousel/a.h", "\n" * 301)
        self.write("examples/a.cpp", "\n" * 81)
        self.write("CMakeLists.txt", "\n" * 61)
        self.assertEqual(len([line for line in self.problems() if "at most" in line]), 3)

    def test_generated_file_is_exempt(self):
        self.write("src/base/a.cpp", "// Generated by tools/make_table.py\n" + "\n" * 999)
        self.assertEqual(self.problems(), [])

    def test_function_body_of_101_lines_is_refused(self):
        self.write("src/base/a.cpp", "namespace n {\nint f() {\n" + "  g();\n" * 100 + "}\n}\n")
        self.assertEqual(self.problems(), [])
        self.write("src/base/a.cpp", "namespace n {\nint f() {\n" + "  g();\n" * 101 + "}\n}\n")
        self.assertIn("a.cpp:2: f: function body of 101, at most 100", self.problems()[0])

    def test_ten_parameters_are_refused(self):
        nine = ", ".join(f"std::pair<int, int> p{i} = {{1, 2}}" for i in range(9))
        self.write("src/base/a.cpp", f"void f({nine}) {{}}\n")
        self.assertEqual(self.problems(), [])
        self.write("src/base/a.cpp", f"void f({nine}, int (*g)(int, int)) {{}}\n")
        self.assertIn("f: parameters of 10, at most 9", self.problems()[0])

    def test_braces_that_do_not_balance_are_found(self):
        self.write("src/base/a.cpp", "int f() { if (a) { }\n")
        self.assertIn("cannot follow the braces", self.problems()[0])

    def names(self, text):
        return [(name, body, parameters) for _, name, body, parameters in check_sizes.functions(text)]

    def test_reader_finds_every_kind_of_function(self):
        self.assertEqual(self.names("struct A : B {\n A(int x, int y) : a_{x}, b_(y) {\n  z();\n }\n ~A() {}\n};\n"),
                         [("A", 1, 2), ("~A", 0, 0)])
        self.assertEqual(self.names("template <class T, int N = 3>\nauto f(T a) const noexcept(N > 2) -> V<T> {}\n"),
                         [("f", 0, 1)])
        self.assertEqual(self.names("bool operator()(int a, int b) { return [&](int q) { return q; }(a); }\n"),
                         [("operator()", 0, 2)])
        self.assertEqual(self.names("TEST(Gru, IsRight) {\n  int a[] = {1, 2};\n  for (;;) {\n  }\n}\n"),
                         [("TEST", 3, 2)])
        self.assertEqual(self.names("const auto f = [](int a) {\n  g();\n};\n"), [("lambda", 1, 1)])

    def test_reader_is_not_misled_by_text_comments_or_branches(self):
        self.assertEqual(self.names("const char* t = \"{ f() {\";  // {\n/* { */ char c = '{';\nint n = 1'000;\n"), [])
        self.assertEqual(self.names('auto r = R"x({ " {)x";\nint f() { return 1; }\n'), [("f", 0, 0)])
        self.assertEqual(self.names("#if A\nint f() {\n#else\nint f(int b) {\n#endif\n}\n"), [("f", 3, 0)])
        self.assertEqual(self.names("#define BAD(x) { \\\n  {\nconst T t[] = {{1, f(2)}, {3, 4}};\nenum E {};\n"), [])


class Format(Tree):
    def faults(self, text, name="src/a.cpp"):
        return [fault for _, fault in check_format.text_problems(name, text)]

    def test_clean_text_passes(self):
        self.assertEqual(self.faults(b"int a;\n"), [])
        self.assertEqual(self.faults(b"x" * 120 + b"\n"), [])

    def test_each_rule_finds_its_fault_and_nothing_else(self):
        open_remark = b"// TO" + b"DO: later\n"
        for text, expected in ((b"int a;", "no newline"), (b"a\n\n", "blank line"), (b"a\r\n", "carriage return"),
                               (b"\ta\n", "tab"), (b"a \n", "blank at the end"), (b"\xc3\xa9\n", "not ASCII"),
                               (b"x" * 121 + b"\n", "121 columns"), (open_remark, "number of an issue"),
                               (b'"/ho' + b'me/me/x"\n', "path of one machine")):
            with self.subTest(expected=expected):
                faults = self.faults(text)
                self.assertEqual(len(faults), 1, faults)
                self.assertIn(expected, faults[0])

    def test_remark_with_an_issue_and_wide_page_pass(self):
        self.assertEqual(self.faults(b"// TO" + b"DO(#12): later\n"), [])
        self.assertEqual(self.faults(b"\xc3\xa9" * 130 + b"\n", "docs/a.md"), [])

    def test_walk_reads_sources_and_leaves_out_build_folders(self):
        self.write("src/a.py", b"\t\n")
        self.write("build/release/b.py", b"\t\n")
        self.write("tests/golden/c.json", b"\t\n")
        self.write("data/d.csv", b"\t\n")
        problems, count = check_format.check(self.root)
        self.assertEqual(count, 1)
        self.assertTrue(all(line.startswith("src/a.py:") for line in problems) and problems, problems)

    @unittest.skipUnless(check_format.clang_format(), "clang-format 14 is not installed")
    def test_clang_format_is_asked(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/good.h", "int f(int a);\n")
        self.assertEqual(check_format.check(self.root)[0], [])
        self.write("src/bad.h", "int  f( int a );\n")
        self.assertEqual(len(check_format.check(self.root)[0]), 1)


if __name__ == "__main__":
    unittest.main()
