"""House rules that a machine can check. The reasons stand in csrc/README.md."""

import ast
import itertools
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CSRC = ROOT / "csrc"
C_FILES = sorted([*CSRC.rglob("*.c"), *CSRC.rglob("*.h")])
PY_FILES = sorted((ROOT / "seqrnn").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Each directory of csrc/ and the others it may include from.
MAY_INCLUDE = {
    "base": {"base"},
    "tensor": {"base", "tensor"},
    "kernels": {"base", "tensor", "kernels"},
    "graph": {"base", "tensor", "graph"},
    "ops": {"base", "tensor", "kernels", "graph", "ops"},
    "autodiff": {"base", "tensor", "graph", "autodiff"},
    "compile": {"base", "tensor", "graph", "compile"},
    "run": {"base", "tensor", "kernels", "graph", "ops", "autodiff", "compile", "run"},
    "optim": {"base", "tensor", "kernels", "optim"},
}
MAY_INCLUDE["py"] = {"py", *MAY_INCLUDE}

# Headers of others that only some files may see.
RESERVED = {
    "Python.h": "py/",
    "numpy/": "py/",
    "cblas.h": "kernels/gemm.c",
    "pthread.h": "base/pool",
}

FORBIDDEN_CALL = re.compile(
    r"\b(abort|exit|_exit|quick_exit|printf|fprintf|vprintf|vfprintf|sprintf|vsprintf|puts|fputs"
    r"|putchar|perror|setjmp|longjmp|system|alloca)\s*\("
)


def relative(path):
    return path.relative_to(ROOT).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=relative)


def code_of(path):
    """A C file without comments and the contents of its strings; line numbers stay."""

    def blank(match):
        text = match.group()
        if text[0] == "/":
            return "\n" * text.count("\n") or " "
        return '""' if text[0] == '"' else "0"

    return re.sub(
        r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'",
        blank,
        path.read_text(encoding="utf-8"),
        flags=re.DOTALL,
    )


def function_lengths(path):
    """(name, line, length) of each function of a C file: in this layout it begins and ends in the
    first column."""
    start = name = None
    for number, line in enumerate(code_of(path).splitlines(), 1):
        if re.match(r"[A-Za-z_][^=;]*\(", line):
            start, name = number, line.strip()
        elif line.startswith("}") and start is not None:
            yield name, start, number - start + 1
            start = None
        elif line and not line[0].isspace() and line.endswith(";"):
            start = None


@each(C_FILES)
def test_includes_go_one_way(path):
    inside = path.relative_to(CSRC).as_posix()
    layer = inside.split("/")[0]
    for name in re.findall(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE):
        for header, owner in RESERVED.items():
            assert not name.startswith(header) or inside.startswith(owner), (
                f"{inside} includes {name}, which only {owner} may"
            )
        if (CSRC / name).is_file():
            target = name.split("/")[0]
            assert target in MAY_INCLUDE[layer], f"{inside} ({layer}) must not include {name}"


@each(C_FILES)
def test_c_files_are_named_from_csrc(path):
    """`#include "tensor/shape.h"`, never `"shape.h"` or `"../tensor/shape.h"`."""
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.MULTILINE):
        if name != "cblas.h":
            assert (CSRC / name).is_file(), f"{relative(path)} includes {name}"


@each(C_FILES)
def test_c_files_are_short(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 600, f"{relative(path)} has {lines} lines"


@each([path for path in C_FILES if path.parent.name != "kernels"])
def test_c_functions_are_short(path):
    """Kernels may be longer: their loops are one thing."""
    for name, line, length in function_lengths(path):
        assert length <= 60, f"{relative(path)}:{line}: {length} lines: {name}"


@each(PY_FILES + TESTS)
def test_python_files_are_short(path):
    lines = len(path.read_text().splitlines())
    assert lines <= 500, f"{relative(path)} has {lines} lines"


@each(PY_FILES)
def test_python_functions_are_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            # neither signature nor docstring are counted
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = node.end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 60, f"{relative(path)}:{node.lineno}: {length} lines: {node.name}"


@each(C_FILES)
def test_core_never_ends_or_talks_to_the_process(path):
    """The dumps of SEQRNN_DUMP are texts, which the Python side prints."""
    for number, line in enumerate(code_of(path).splitlines(), 1):
        found = FORBIDDEN_CALL.search(line)
        assert not found, f"{relative(path)}:{number}: {found.group(1)}() in the core"


@each(C_FILES)
def test_symbols_have_the_prefix(path):
    """Functions and variables that other files see begin with srn_. A macro in capitals may stand
    for the name, or, in front, for `static inline`."""
    declaration = re.compile(
        r"(?!static\b|typedef\b|extern\b|struct \w+ \{|enum\b|union\b|_Static_assert\b"
        r"|else\b|return\b|[A-Z][A-Z0-9_]*\b)"
        r"(?:[A-Za-z_]\w*[ *]+)+(\w+)\s*(?:\(|=|;|\[)"
    )
    for number, line in enumerate(code_of(path).splitlines(), 1):
        found = declaration.match(line)
        if found:
            name = found.group(1)
            assert name.startswith(("srn_", "PyInit_")) or name.isupper(), (
                f"{relative(path)}:{number}: {name} has not the prefix srn_"
            )


@each(C_FILES)
def test_types_do_not_end_in_t(path):
    """Names in _t are reserved by POSIX."""
    own = re.findall(r"^}\s*(\w+_t);|^typedef\b[^;{]*\b(\w+_t);", code_of(path), re.MULTILINE)
    assert not own, f"{relative(path)}: {own}"


@each([p for p in PY_FILES if p.is_relative_to(ROOT / "seqrnn/layers")])
def test_layers_know_ops_only(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module or ''}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            assert "_core" not in name.split("."), f"{relative(path)}:{node.lineno}: {name}"


def test_every_op_has_a_spec():
    specs = sorted((ROOT / "tests/ops").glob("*spec*.py"))
    assert specs
    words = re.findall(r"\bX\((\w+)\)", (CSRC / "graph/op_list.h").read_text())
    strings = {
        node.value
        for node in itertools.chain.from_iterable(ast.walk(ast.parse(p.read_text())) for p in specs)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    missing = [word for word in words if word not in strings]
    assert not missing, f"ops without an OpSpec in tests/ops/specs.py: {missing}"


def test_c_tests_are_built_with_the_flags_of_the_package():
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    setup = ast.parse((ROOT / "setup.py").read_text())
    of_setup = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in setup.body
        if isinstance(node, ast.Assign) and node.targets[0].id.endswith("_FLAGS")
    }
    assert sorted(of_setup) == ["BASE_FLAGS", "STRICT_FLAGS"]
    for name, flags in of_setup.items():
        of_make = re.search(rf"^{name} := (.*)$", makefile, re.MULTILINE).group(1)
        assert shlex.split(of_make) == shlex.split(flags)
