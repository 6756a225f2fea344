"""The structure stays as CONTRIBUTING.md draws it: imports point down, and the server's process stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_envstore

PACKAGE = Path(jupyter_envstore.__file__).parent

# From top to bottom, as CONTRIBUTING.md draws them. A package may import from packages below its own line.
LAYERS = [
    {"cli"},
    {"application", "scheduling"},
    {"server"},
    {"channel_maker"},
    {"remote_store"},
    {"services"},
    {"kernels", "notebooks", "representation"},
    {"remote"},
    {"builds"},
    {"artifacts"},
    {"installers"},
    {"images"},
    {"engine"},
    {"database"},
    {"blobs", "policy"},
    {"config"},
    {"spec"},
    {"client", "errors", "private_files"},
]
ANSWERS = {"get", "head", "post", "put", "patch", "delete", "prepare", "serve", "get_login_url"}
"""Methods of handlers that Tornado calls: the OpenAPI document says which errors they answer with."""


def package_of(module: str) -> str:
    """``engine`` of ``jupyter_envstore.engine.solve``."""
    return module.split(".")[1] if "." in module else ""


def imports_of(path: Path) -> set[str]:
    """Return the project's modules that a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}  # which may be a module
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


FILES = sorted(p for p in PACKAGE.rglob("*.py") if "migrations" not in p.parts and p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down_only(path: Path) -> None:
    layer = {package: number for number, packages in enumerate(LAYERS) for package in packages}
    relative = path.relative_to(PACKAGE)
    here = relative.parts[0].removesuffix(".py")
    for module in imports_of(path):
        if not module.startswith("jupyter_envstore.") or package_of(module) in ("__version__", here):
            continue
        there = package_of(module)
        assert there in layer, f"{module} is in no known package"
        assert layer[there] > layer[here], f"{relative} imports {module}, which is not below it"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for types alone count too: who needs another's type depends on it."""
    names = {
        ".".join(path.with_suffix("").relative_to(PACKAGE.parent).parts).removesuffix(".__init__"): path
        for path in FILES
    }
    graph = {name: {found for found in imports_of(path) if found in names} - {name} for name, path in names.items()}
    circles = strongly_connected(graph)
    assert [sorted(circle) for circle in circles if len(circle) > 1] == []


def strongly_connected(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of a graph (R. Tarjan, SIAM J. Comput. 1, 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in graph[name]:
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            place = stack.index(name)
            found.append(stack[place:])
            del stack[place:]

    for name in graph:
        if name not in order:
            visit(name)
    return found


def test_a_circle_is_found() -> None:
    assert sorted(map(sorted, strongly_connected({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}))) == [
        ["a", "b", "c"],
        ["d"],
    ]


def test_only_the_engine_the_specification_and_the_maker_of_channels_know_rattler() -> None:
    for path in FILES:
        if any(name.split(".")[0] == "rattler" for name in imports_of(path)):
            assert path.relative_to(PACKAGE).parts[0] in ("engine", "spec", "channel_maker"), path


def test_only_the_database_package_writes_sql() -> None:
    for path in FILES:
        uses = any(name.split(".")[0] == "sqlalchemy" for name in imports_of(path))
        assert not uses or path.relative_to(PACKAGE).parts[0] == "database", path


def test_nothing_but_the_server_package_knows_tornado() -> None:
    for path in FILES:
        if any(name.split(".")[0] == "tornado" for name in imports_of(path)):
            assert path.relative_to(PACKAGE).parts[0] == "server", path


def modules_after(statement: str) -> set[str]:
    """Return the modules that a fresh Python has loaded after ``statement``."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_opening_a_store_imports_none_of_the_engine() -> None:
    loaded = modules_after(
        "import tempfile\nfrom jupyter_envstore.config import StoreConfig\n"
        "from jupyter_envstore.services.store import EnvStore\n"
        "EnvStore.open(StoreConfig(tempfile.mkdtemp(prefix='es-'))).close()"
    )
    assert not loaded & {"rattler", "conda_lock", "conda_pack", "uv", "zstandard", "isal", "yaml"}


def test_a_second_opening_does_not_import_alembic() -> None:
    loaded = modules_after(
        "import subprocess, sys, tempfile\nroot = tempfile.mkdtemp(prefix='es-')\n"
        "code = 'from jupyter_envstore.config import StoreConfig; '\n"
        "code += 'from jupyter_envstore.services.store import EnvStore; '\n"
        "code += f'EnvStore.open(StoreConfig({root!r})).close()'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\nexec(code)"
    )
    assert "sqlalchemy" in loaded
    assert not loaded & {"alembic", "psycopg", "fsspec", "s3fs", "botocore"}


def test_reading_a_specification_imports_rattler_but_no_lock_or_pack_tool() -> None:
    loaded = modules_after(
        "from jupyter_envstore.spec import read_specification\nread_specification('dependencies: [python]')"
    )
    assert "rattler" in loaded
    assert not loaded & {"conda_lock", "conda_pack", "sqlalchemy"}


def test_the_models_of_conda_lock_leave_the_search_path_as_it_was() -> None:
    code = (
        "import io, sys\nbefore = list(sys.path)\nfrom jupyter_envstore.engine import lockcheck\n"
        "sys.stdin = io.StringIO('{\"package\": []}')\nassert lockcheck.main() == 1\n"
        "assert 'conda_lock.lockfile.v1.models' in sys.modules\nassert sys.path == before, sys.path"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_server_extension_imports_none_of_the_engine() -> None:
    loaded = modules_after("import jupyter_envstore.application.app")
    heavy = {"rattler", "conda_lock", "conda_pack", "uv", "zstandard", "isal", "sqlalchemy", "alembic", "httpx"}
    assert not loaded & heavy


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert not modules_after("import jupyter_envstore") & {"sqlalchemy", "tornado", "rattler", "traitlets"}


def needs_docstring(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether something public has no docstring; of overloads, the function itself has it."""
    is_overload = any(isinstance(name, ast.Name) and name.id == "overload" for name in node.decorator_list)
    return not node.name.startswith("_") and not is_overload and ast.get_docstring(node) is None


def test_every_public_function_and_class_has_a_docstring() -> None:
    bare = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if ast.get_docstring(tree) is None:
            bare.append(str(path))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                members = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
                bare.extend(f"{path}:{item.lineno} {item.name}" for item in [node, *members] if needs_docstring(item))
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        bare.extend(f"{path}:{node.lineno} {node.name}" for node in functions if needs_docstring(node))
    assert not bare


def own_raises(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.Raise]:
    """Return the statements of a function itself that raise something new; those of functions within it are theirs."""
    found, todo = [], list[ast.AST](function.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Raise) and node.exc is not None:
            found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))
    return found


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the public functions of a module, and the public methods of its public classes."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def test_every_public_function_that_raises_says_so_in_its_docstring() -> None:
    """But commands, whose errors the command line prints, and what Tornado calls."""
    silent = [
        f"{path}:{function.lineno} {function.name}"
        for path in FILES
        if (package := path.relative_to(PACKAGE).parts[0]) != "cli"
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body)
        if not (package == "server" and function.name in ANSWERS)
        and own_raises(function)
        and "Raises\n------" not in (ast.get_docstring(function) or "")
    ]
    assert silent == []
