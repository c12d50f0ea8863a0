"""Rules of the house that no linter knows; `make lint` runs them.

Sizes and names of modules and folders, names that stand twice, what docstrings say first, what the domain may import,
that SQL says of which organization it is, that papers name files which are there, and that no index address stands in a
file that installs.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeGuard

MAX_MODULE_LINES = 600
MAX_FUNCTION_LINES = 60
MAX_MODULES_OF_A_FOLDER = 18
CODE = ("src", "tests", "bench", "client", ".ci")
# Alembic generates migrations: one function each, as long as the schema is wide. They are never edited again.
GENERATED = re.compile(r"/migrations/versions/\w+\.py$")
WORDS_THAT_SAY_NOTHING = frozenset(
    {"base", "common", "core", "helper", "helpers", "manager", "util", "utils"}
)

DOMAIN, DOORS = "src/runcard/domain", "src/runcard/api"
DOMAIN_MAY_IMPORT = sys.stdlib_module_names | {"runcard", "msgspec", "re2", "rfc8785", "uuid_utils"}

# Where SQL on what belongs to organizations is made, and the one module that says whose a row is.
STORE, SCOPE = "src/runcard/store", "src/runcard/store/engine/scope.py"
# Begins the reason why a statement needs no organization: above its function, or below the imports for a whole module.
UNSCOPED = "# Unscoped: "

PAPERS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "docs/adr/*.md")
# A file of the code as papers name it: `store/commit/writer.py`, from the root, from the package or from its client.
CODE_FILE = re.compile(r"`((?:[\w.]+/)+\w+\.py)`")
CODE_ROOTS = ("", "src/runcard", "client/src/runcard_client")

INSTALL_FILES = ("*.lock", "*.toml", "requirements*", "Makefile", "package-lock.json", ".npmrc", ".ci/run")
INDEX_ADDRESS = re.compile(
    r"index[-_]url|find[-_]links|trusted[-_]host|\[\[tool\.\w+\.(?:index|source)\]\]|://[^\s\"']*/simple"
    r"|\"resolved\": *\"https?:|^ *registry *=",
)
# A line of a requirements lock is a pin or a comment: no option, address or path.
PIN = re.compile(r"(?:[\w.-]+(?:\[[\w,.-]+\])?==\S+(?: ; [^#]+)?)?(?: *#(?!.*://).*)?")


def main(root: Path) -> int:
    """Print each breach; 1 where there is one."""
    modules = list(_modules(root))
    breaches = [
        *code_breaches(modules),
        *folder_breaches(root),
        *class_breaches(modules),
        *paper_breaches(root),
        *address_breaches(root),
    ]
    for breach in breaches:
        print(breach)
    print(f"gates: {len(breaches)} breaches" if breaches else "gates: kept")
    return 1 if breaches else 0


class Module(NamedTuple):
    """where: its path from the root."""

    where: str
    source: str
    tree: ast.Module


def _modules(root: Path) -> Iterator[Module]:
    for path in sorted(file for folder in CODE for file in (root / folder).rglob("*.py")):
        where, source = path.relative_to(root).as_posix(), path.read_text("utf-8")
        yield Module(where, source, ast.parse(source, where))


def code_breaches(modules: Sequence[Module]) -> Iterator[str]:
    for where, source, tree in modules:
        yield from _name_breaches(where)
        yield from _twice_breaches(where, tree)
        if not GENERATED.search(where):
            yield from _size_breaches(where, source, tree)
        if where.startswith("src/"):
            yield from _docstring_breaches(where, tree)
        if where.startswith(f"{DOMAIN}/"):
            yield from _domain_breaches(where, tree)
        if where.startswith(f"{STORE}/") and not GENERATED.search(where) and where != SCOPE:
            yield from _scope_breaches(where, source, tree)


def folder_breaches(root: Path) -> Iterator[str]:
    """Folders that nobody finds anything in."""
    for folder in sorted({file.parent for file in (root / "src").rglob("*.py")}):
        where = folder.relative_to(root).as_posix()
        modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
        if len(modules) > MAX_MODULES_OF_A_FOLDER and not where.endswith("/migrations/versions"):
            yield f"{where}: {len(modules)} modules, at most {MAX_MODULES_OF_A_FOLDER}; give each noun a folder"


def class_breaches(modules: Sequence[Module]) -> Iterator[str]:
    """Classes that two modules call alike. Doors are strangers, and each may have its own body of a name."""
    first: dict[str, str] = {}
    for where, _, tree in modules:
        if where.startswith("src/") and not where.startswith(f"{DOORS}/"):
            for node in tree.body:
                if isinstance(node, ast.ClassDef):
                    known = first.setdefault(node.name, where)
                    if known != where:
                        yield f"{where}:{node.lineno}: {node.name} is the name of a class in {known}; say whose it is"


def paper_breaches(root: Path) -> Iterator[str]:
    """What papers call a file of the code and is none."""
    for path in sorted(file for pattern in PAPERS for file in root.glob(pattern)):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            for name in CODE_FILE.findall(line):
                if not any((root / start / name).is_file() for start in CODE_ROOTS):
                    yield f"{path.relative_to(root).as_posix()}:{number}: there is no {name}"


def _name_breaches(where: str) -> Iterator[str]:
    for name in Path(where).with_suffix("").parts:
        if name.lower() in WORDS_THAT_SAY_NOTHING:
            yield f"{where}: a module named {name} says nothing; name what is in it"


def _twice_breaches(where: str, tree: ast.Module) -> Iterator[str]:
    """Names that a module defines again at its top level; what stands in branches is not compared."""
    first: dict[str, int] = {}
    for node in tree.body:
        for name in _defined(node):
            if name in first:
                yield f"{where}:{node.lineno}: {name} is defined already in line {first[name]}; keep one of the two"
            first.setdefault(name, node.lineno)


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a statement gives to something. Overloads and `_`, which say so on purpose, are none."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            is_overload = any(
                ast.unparse(one).rpartition(".")[2] == "overload" for one in node.decorator_list
            )
            names = [] if is_overload else [node.name]
        case ast.Assign():
            targets = [one for target in node.targets for one in ast.walk(target)]
            names = [
                one.id for one in targets if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
            ]
        case ast.AnnAssign(target=ast.Name(id=name)):
            names = [name]
        case ast.Import() | ast.ImportFrom():
            names = [alias.asname or alias.name for alias in node.names]
        case _:
            names = []
    yield from (name for name in names if name != "_")


def _size_breaches(where: str, source: str, tree: ast.Module) -> Iterator[str]:
    lines = len(source.splitlines())
    if lines > MAX_MODULE_LINES:
        yield f"{where}: {lines} lines, at most {MAX_MODULE_LINES}; split it by what it is about"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{where}:{node.lineno}: {node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}"


def _docstring_breaches(where: str, tree: ast.Module) -> Iterator[str]:
    """Docstrings that tell what goes wrong, and not what comes back."""
    functions = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    for one in functions:
        if (ast.get_docstring(one) or "").startswith("Raises"):
            yield f"{where}:{one.lineno}: {one.name} says first what it raises; say first what it returns or does"


def _domain_breaches(where: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        else:
            continue
        for name in names:
            if name.partition(".")[0] not in DOMAIN_MAY_IMPORT:
                yield f"{where}:{node.lineno}: the domain may not import {name}; see docs/adr"


def _scope_breaches(where: str, source: str, tree: ast.Module) -> Iterator[str]:
    """Statements that might find what belongs to another organization."""
    lines = source.splitlines()
    for node in ast.walk(tree):
        # A row may be compared with a row.
        if (
            isinstance(node, ast.Compare)
            and _is_organization(node.left)
            and not all(_is_organization(one) for one in node.comparators)
        ):
            yield f"{where}:{node.lineno}: let `scope.owns` or `owned_by` say of which organization a row is"
    imports = [node.end_lineno or 0 for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if any(line.startswith(UNSCOPED) for line in lines[max(imports, default=0) :][:2]):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and _makes_statement(node) and not _is_scoped(node):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if not lines[first - 2].strip().startswith(UNSCOPED):
                yield (
                    f"{where}:{node.lineno}: {node.name} finds rows of any organization; give it a Scope, or say "
                    f"above it why it needs none: {UNSCOPED}..."
                )


def _is_organization(node: ast.expr) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and node.attr == "organization_id"


def _called(function: ast.FunctionDef) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield (node.func.id if isinstance(node.func, ast.Name) else node.func.attr), node


def _makes_statement(function: ast.FunctionDef) -> bool:
    return any(
        name in {"select", "update", "delete"} and isinstance(call.func, ast.Name)
        for name, call in _called(function)
    )


def _is_scoped(function: ast.FunctionDef) -> bool:
    """Whether it says of which organization rows are, or hands that on to what does."""
    return any(
        name in {"owns", "owned_by"}
        or any(
            _is_organization(one) or (isinstance(one, ast.Name) and one.id in {"scope", "organization_id"})
            for one in [*call.args, *(keyword.value for keyword in call.keywords)]
        )
        for name, call in _called(function)
    )


def address_breaches(root: Path) -> Iterator[str]:
    for path in sorted({file for pattern in INSTALL_FILES for file in _install_files(root, pattern)}):
        where = path.relative_to(root).as_posix()
        is_pins = path.name.startswith("requirements")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            if INDEX_ADDRESS.search(line) or (is_pins and not PIN.fullmatch(line)):
                yield f"{where}:{number}: an address, option or path that ties installing to one place: {line.strip()}"


def _install_files(root: Path, pattern: str) -> Iterator[Path]:
    yield from root.glob(pattern)
    for folder in CODE:
        if "/" not in pattern:
            yield from (root / folder).rglob(pattern)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
