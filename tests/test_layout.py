"""The order that docs/design.md promises: who may import whom, how long a file may be, what must not be in one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
PACKAGE: Final = ROOT / "harness"
MOST_LINES: Final = 450

WORDS: Final = frozenset({
    "words", "errors", "events", "cells", "frames", "idle", "marks", "packed", "places", "protobuf",
})  # fmt: skip
PARTS: Final = WORDS | {"adapters", "tape", "verdicts", "report"}
RUN: Final = PARTS | {"battery", "checks", "isolation", "session"}
MAY_IMPORT: Final[dict[str, frozenset[str]]] = {
    "words": frozenset(),
    "errors": frozenset({"words"}),
    "marks": frozenset({"words"}),
    "packed": frozenset(),
    "frames": frozenset(),
    "idle": frozenset(),
    "places": frozenset({"events"}),
    "protobuf": frozenset(),
    "events": frozenset({"words", "errors"}),
    "cells": frozenset({"words", "errors", "events"}),
    "adapters": WORDS,
    "tape": WORDS,
    "verdicts": frozenset({"words", "events", "cells", "frames", "idle", "marks", "packed", "protobuf"}),
    "report": frozenset({"words", "errors", "cells"}),
    # the servers of the harness, whatever they answer with
    "listening": frozenset(),
    "simulators": WORDS | {"listening"},
    "serve": WORDS | {"listening", "tape", "verdicts"},
    "battery": PARTS,
    "checks": PARTS | {"battery"},
    "isolation": PARTS | {"battery"},
    "programs": PARTS | {"battery", "isolation", "listening", "serve"},
    "session": (RUN - {"session"}) | {"programs"},
    "plugin": RUN,
    "cli": RUN | {"serve", "simulators"},
    # the package itself offers what a registration in Python needs
    "__init__": WORDS | {"adapters"},
    "__main__": frozenset({"cli"}),
}
"""What each part of the harness may import, as docs/design.md draws it. A part may always import itself."""

FORBIDDEN: Final = {
    "a path of one machine": re.compile(
        r"(?<![\w.~}$*/-])/(?:root|work|home/(?!somebody/)[a-z]\w*|Users/\w+|(?:var/|private/)?tmp|opt/\w+)/\w"
        r"|/python3\.\d+/(?:site|dist)-packages/"
    ),
    "the address of a package index": re.compile(
        r"(?i)pythonhosted\.org|\bpypi\.org/|--(?:extra-)?index-url|--find-[l]inks|https?://[^\s\"']+/simple\b"
    ),
}
FAULTS: Final = frozenset({"HarnessError", "UserError"})
"""What errors have in common: whose fault it is."""
LINK: Final = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
NOT_OURS: Final = frozenset({"build", "dist", "__pycache__"})


def sources() -> list[Path]:
    """
    Return the harness's own Python files.
    """
    return sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """
    Return a file's path in the repository, with forward slashes.
    """
    return path.relative_to(ROOT).as_posix()


def part_of(path: Path) -> str:
    """
    Return the part of the harness that a file belongs to.
    """
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(text: str, package: str) -> Iterator[tuple[int, str]]:
    """
    Yield line and part of each import of the harness in a source text, wherever in the text it stands.
    """
    for node in ast.walk(ast.parse(text)):
        for module in modules(node, package):
            top, _, rest = module.partition(".")
            if top == "harness":
                yield node.lineno, rest.partition(".")[0] or "__init__"  # type: ignore[attr-defined]  # an import has it


def modules(node: ast.AST, package: str) -> list[str]:
    """
    Return the modules that a node imports; a name taken from the package itself may be one of its modules.
    """
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
    module = ".".join([*above, *([node.module] if node.module else [])])
    if module != "harness":
        return [module]
    return [f"harness.{alias.name}" if alias.name in MAY_IMPORT else "harness" for alias in node.names]


def undocumented(node: ast.AST, prefix: str = "") -> Iterator[str]:
    """
    Yield line and name of what is public in a module or class and says nothing of itself.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try | ast.With):
            yield from undocumented(child, prefix)
        if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or child.name.startswith("_"):
            continue
        if not ast.get_docstring(child) and not (overloads(child) or sets(child)):
            yield f"line {child.lineno}: {prefix}{child.name}"
        if isinstance(child, ast.ClassDef):
            yield from undocumented(child, f"{prefix}{child.name}.")


def codes_of_errors(trees: list[ast.Module], root: str = "HarnessError") -> dict[str, str]:
    """
    Return the classes that derive from one, however far, with the code that each states; empty where it states none.
    """
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found: dict[str, str] = {}
    while more := [
        one
        for one in classes
        if one.name not in found and any(ast.unparse(base).rpartition(".")[2] in {root, *found} for base in one.bases)
    ]:
        found |= {one.name: code_of(one) for one in more}
    return found


def code_of(error: ast.ClassDef) -> str:
    """
    Return the code that an error's class states.
    """
    stated = (
        node.value for node in error.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code"
    )
    return next((str(value.value) for value in stated if isinstance(value, ast.Constant)), "")


def calls_of(tree: ast.Module, names: frozenset[str]) -> Iterator[ast.Call]:
    """
    Yield where something of one of these names is called.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
            yield node


def overloads(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """
    Tell whether a function only states one of several signatures.
    """
    return any(ast.unparse(one).rpartition(".")[2] == "overload" for one in node.decorator_list)


def sets(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """
    Tell whether a function is a property's setter or deleter, which its getter documents.
    """
    return any(ast.unparse(one).endswith((".setter", ".deleter")) for one in node.decorator_list)


def repository_files() -> list[Path]:
    """
    Return what is in the repository or would be added to it; without git, whatever is not hidden or built.
    """
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        told = subprocess.run(listing, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in ROOT.rglob("*") if not _built(path.relative_to(ROOT)))
    else:
        found = (ROOT / name for name in told.split("\0") if name)
    return sorted(path for path in found if path.is_file())


def _built(path: Path) -> bool:
    return any(part in NOT_OURS or (part.startswith(".") and part != ".ci") for part in path.parts)


def forbidden(text: str) -> list[str]:
    """
    Return what a text holds that would tell of the machine it was made on.
    """
    return [
        f"line {text.count(chr(10), 0, match.start()) + 1}: {what}: {match.group()!r}"
        for what, pattern in FORBIDDEN.items()
        for match in pattern.finditer(text)
    ]


def test_every_part_of_the_harness_has_its_place() -> None:
    """
    A new part is drawn in docs/design.md, and in `MAY_IMPORT`, before it imports or is imported.
    """
    parts = {part_of(path) for path in sources()}

    assert sorted(parts - MAY_IMPORT.keys()) == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    """
    No file imports a part that docs/design.md draws beside it or after it, not even inside of a function.
    """
    part = part_of(path)
    allowed = MAY_IMPORT.get(part, frozenset()) | {part}
    package = ".".join(path.relative_to(ROOT).parent.parts)

    found = imported(path.read_text(encoding="utf-8"), package)

    assert [f"line {line}: {part} imports {other}" for line, other in found if other not in allowed] == []


@pytest.mark.parametrize(
    "text",
    [
        "import harness.cli",
        "import harness.cli.run as run",
        "from harness.cli import run",
        "from harness import cli",
        "from ..cli import run",
        "from .. import cli",
        "def later():\n    from harness.cli.run import main",
        "if TYPE_CHECKING:\n    from harness.cli import Run",
    ],
)
def test_every_form_of_import_is_seen(text: str) -> None:
    """
    An import of the command line from inside of the tape is found, however it is written.
    """
    assert [part for _, part in imported(text, "harness.tape")] == ["cli"]


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_no_file_is_long(path: Path) -> None:
    """
    No source file of the harness is longer than can be read in one sitting.
    """
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_what_is_public_is_documented(path: Path) -> None:
    """
    Every module, and every public class, function and method in it, says what it is.
    """
    module = ast.parse(path.read_text(encoding="utf-8"))

    assert ast.get_docstring(module), f"{name_of(path)} has no docstring"
    assert list(undocumented(module)) == []


def test_every_cause_has_an_error_of_its_own() -> None:
    """
    No source raises what all errors have in common; each class has a code of its own, of lower-case words.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    codes = codes_of_errors(list(trees.values()))
    said = list(codes.values())
    made = [(name_of(path), call.lineno) for path, tree in trees.items() for call in calls_of(tree, FAULTS)]

    assert made == []
    assert [name for name, code in codes.items() if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []
    assert [code for code in said if said.count(code) > 1] == []


def test_every_mistake_comes_with_its_remedy() -> None:
    """
    Whatever the user can mend is told together with how to mend it.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    mistakes = frozenset(codes_of_errors(list(trees.values()), "UserError"))
    bare = [
        f"{name_of(path)}, line {call.lineno}"
        for path, tree in trees.items()
        for call in calls_of(tree, mistakes)
        if not {"hint", None} & {keyword.arg for keyword in call.keywords}
    ]

    assert bare == []


def test_what_is_not_documented_is_seen() -> None:
    """
    A function, a class and a method without a docstring are found; private ones and setters need none.
    """
    text = (
        "def f(): ...\nclass A:\n    def m(self): ...\n    @x.setter\n    def x(self, v): ...\n    def _n(self): ...\n"
        "if True:\n    async def g(): ...\ndef _h(): ...\n@overload\ndef o(): ...\n"
    )

    assert list(undocumented(ast.parse(text))) == ["line 1: f", "line 2: A", "line 3: A.m", "line 8: g"]


def test_no_file_tells_of_the_machine_it_was_made_on() -> None:
    """
    Neither code nor documents, cassettes, locks or reports hold a path of one machine or the address of an index.
    """
    told = [
        f"{name_of(path)}: {one}"
        for path in repository_files()
        for one in forbidden(path.read_bytes().decode("utf-8", "replace"))
    ]

    assert told == []


@pytest.mark.parametrize("folder", ["root", "work", "tmp", "home/ann", "Users/ann", "opt/wheels", "var/tmp"])
def test_a_path_of_one_machine_is_seen(folder: str) -> None:
    """
    The folders that builds happen in are known, in the middle of a line as at its beginning.
    """
    assert len(forbidden(f'one\nFile "/{folder}/project/x.py", line 1\n')) == 1


def test_addresses_and_ordinary_paths_are_no_path_of_one_machine() -> None:
    """
    A path on a server, and one that is relative, tell nothing of a machine.
    """
    assert forbidden("https://example.com/work/items, a/tmp/b, ~/work/x, $HOME/tmp/x, /v1/work") == []


def test_the_address_of_an_index_is_seen() -> None:
    """
    A lock that was compiled with the index's address in it is found.
    """
    assert len(forbidden("--index-" + "url https://packages.example.com/pypi/" + "simple\n")) == 2


def test_documents_lead_to_files_that_are_there() -> None:
    """
    Every relative link and picture in the Markdown of the project names a file of it.
    """
    pages = [path for path in repository_files() if path.suffix == ".md"]
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]

    assert [f"{name_of(page)}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_who_only_gathers_does_without_vcrpy() -> None:
    """
    The process that starts the others and gathers what they show imports neither vcrpy nor a client library, for a run
    as for the gate with its checks: that would take as long as all the rest of its work.
    """
    code = (
        "import sys, harness.cli.running, harness.cli.gate, harness.checks.streams, harness.checks.batches,"
        " harness.checks.calls, harness.session.columns, harness.checks.rebuilds, harness.checks.events,"
        " harness.checks.usage, harness.checks.loops;"
        " print(*sorted({'vcr', 'httpx', 'aiohttp', 'urllib3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)

    assert done.stdout.split() == []


def test_the_wheel_holds_the_data() -> None:
    """
    What stands beside the code (type marker, schema, templates) is installed with it.
    """
    data = (path for path in PACKAGE.rglob("*") if path.is_file() and not {".py", ".pyc"} & {path.suffix})
    names = [path.relative_to(PACKAGE).as_posix() for path in data]

    assert "py.typed" in names
    assert [name for name in names if not files("harness").joinpath(name).is_file()] == []
