"""What no source file does: talk to a terminal below the command, swallow errors, grow without bounds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.architecture.sources import PACKAGE, files_of, modules, place

MAX_FUNCTION = 80
MAX_FILE = 600
CALLS = {"print", "input", "breakpoint", "exit", "quit"}
ATTRIBUTES = {
    *(("os", name) for name in ("environ", "environb", "getenv", "getenvb", "putenv", "_exit", "abort")),
    *(("sys", name) for name in ("exit", "argv", "stdin", "stdout", "stderr")),
}
LATE_IMPORTS = ("casvault/worktree/ignore.py:",)
"""Where a module of casvault is loaded on first use, because it loads a library that most commands do without."""
BROAD = {"Exception", "BaseException"}

Check = Callable[[ast.AST], Iterator[tuple[int, str]]]


def talk(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Prints, prompts, the environment, exits."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            yield node.lineno, f"{node.func.id}()"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in ATTRIBUTES:
                yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                if (node.module, name.name) in ATTRIBUTES:
                    yield node.lineno, f"{node.module}.{name.name}"


def swallowed(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Broad handlers. One that only cleans up, and ends by raising the same error again, swallows nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno, "a broad except"


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_is_broad(one) for one in kind.elts)
    return kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD)


def long_functions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def local_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Imports of casvault's own modules inside functions, which dodge cycles; a library's may wait for its use."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom) and _is_ours(node):
                    yield node.lineno, f"an import in {function.name}"


def _is_ours(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.level > 0 or (node.module or "").startswith("casvault")
    return any(name.name.startswith("casvault") for name in node.names)


def found(check: Check, layers: set[str]) -> list[str]:
    return [
        f"{place(path, line)}: {what}"
        for path in files_of(layers)
        for line, what in check(ast.parse(path.read_text(), str(path)))
    ]


def test_the_library_does_not_talk() -> None:
    assert found(talk, modules() - {"cli"}) == []


def test_the_library_swallows_no_error() -> None:
    assert found(swallowed, modules() - {"cli"}) == []


def test_the_command_has_one_handler_for_what_nobody_expected() -> None:
    assert len(found(swallowed, {"cli"})) <= 1


def test_no_function_is_too_long() -> None:
    assert found(long_functions, modules()) == []


def test_imports_of_our_own_in_functions_are_for_the_command_only() -> None:
    assert [wrong for wrong in found(local_imports, modules() - {"cli"}) if not wrong.startswith(LATE_IMPORTS)] == []


def test_no_file_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {place(path, length) for path, length in lengths.items() if length > MAX_FILE} == set()


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (talk, "print(1)"),
        (talk, "x = os.environ"),
        (talk, "from sys import exit"),
        (talk, "sys.exit(1)"),
        (swallowed, "try: pass\nexcept Exception: pass"),
        (swallowed, "try: pass\nexcept (ValueError, BaseException): pass"),
        (swallowed, "try: pass\nexcept: pass"),
        (long_functions, "def f():\n" + "    pass\n" * MAX_FUNCTION),
        (local_imports, "def f():\n    import os, casvault.oid"),
        (local_imports, "def f():\n    from casvault.oid import Oid"),
        (local_imports, "def f():\n    from . import oid"),
    ],
)
def test_the_check_finds_what_it_looks_for(check: Check, source: str) -> None:
    assert len(list(check(ast.parse(source)))) == 1


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (talk, "import os, sys\nos.fsync(1), sys.intern('a'), self.print(1)"),
        (swallowed, "try: pass\nexcept ValueError: pass"),
        (swallowed, "try: pass\nexcept BaseException:\n    clean()\n    raise"),
        (long_functions, "def f():\n" + "    pass\n" * (MAX_FUNCTION - 1)),
        (local_imports, "from casvault.oid import Oid\ndef f():\n    from rapidfuzz import distance"),
    ],
)
def test_the_check_lets_the_rest_pass(check: Check, source: str) -> None:
    assert list(check(ast.parse(source))) == []
