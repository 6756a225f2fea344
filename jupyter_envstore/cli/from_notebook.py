"""Command that makes an environment for a notebook or script that remembers none."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.cli.build import (
    find_environment,
    new_place,
    owner,
    pick_of,
    repair_file,
    report_changes,
    see_through,
)
from jupyter_envstore.cli.common import command, print_json, read_file, who
from jupyter_envstore.cli.opening import open_store
from jupyter_envstore.database.recorded_builds import NOTEBOOK
from jupyter_envstore.errors import EnvStoreError, InvalidInputError, SpecificationError
from jupyter_envstore.notebooks.execution import language_of_notebook, read_notebook
from jupyter_envstore.notebooks.imported_modules import NAMESPACES, python_modules, r_packages, with_modules_beside
from jupyter_envstore.notebooks.install_lines import installed_by
from jupyter_envstore.notebooks.module_provider import ModuleProvider
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.services.common_interfaces import AnyStore
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.converting.draft import Draft, Pick
from jupyter_envstore.spec.converting.script import notebook_block, script_block
from jupyter_envstore.spec.document import decode
from jupyter_envstore.spec.match_specs import check_match_spec
from jupyter_envstore.spec.pip_lines import read_requirement
from jupyter_envstore.spec.repair import Repaired, name_of

BESIDE = ("environment.yml", "environment.yaml", "pixi.toml", "pyproject.toml", "requirements.txt")
"""Files beside a notebook that say what it needs, the one that says most first."""


@dataclass
class Proposal:
    """A specification for a notebook.

    Parameters
    ----------
    text : str
        As an ``environment.yml``.
    source : str
        Where it comes from, in words.
    guesses : dict of str to str
        Packages that have the name of a module, by this module: nobody looked into them.
    unknown : list of str
        Modules for which there is not even such a package.
    exclude_newer : str
        Packages uploaded later are left out.
    """

    text: str
    source: str
    guesses: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    exclude_newer: str = ""


def from_notebook(options: argparse.Namespace) -> int:
    """Find out what a notebook or script needs; print it, write it, or build it."""
    path = Path(options.file)
    text = decode(read_file(options.file), options.file)
    chosen = _chosen(options.package or ())
    with open_store(options) as store:
        proposal = (
            _from_block(store, path, text, pick_of(options))
            or _from_beside(store, path, pick_of(options))
            or _from_imports(store, path, text, chosen)
        )
        print(f"from {proposal.source}", file=sys.stderr)
        if not options.build:
            _print(options, proposal)
            return 0
        _refuse_guesses(proposal, options.accept_guesses)
        namespace, name = new_place(store, options.name or "")
        local = store.allow_local_files
        specification = read_specification(proposal.text, proposal.source, local, named=bool(name))
        target = f"{namespace}/{name or specification.name}"
        if not name and find_environment(store, namespace, specification.name or "") is not None:
            msg = f"there is an environment {target} already; give --name {target} to build it anew, or another name"
            raise InvalidInputError(msg)
        print(f"{target}:\n{proposal.text}", file=sys.stderr)
        if not options.yes and not _agreed():
            return 1
        choices = BuildOptions(options.exclude_newer or proposal.exclude_newer)
        reference = store.builds.submit(
            specification, namespace, name or None, who(), NOTEBOOK, options=choices, is_new=not name
        )
        code = see_through(store, reference, options)
        if path.suffix == ".ipynb" and not options.no_wait:
            place = f"{reference.namespace}/{reference.name}"
            print(f"open it there: {command(f'open {options.file} --environment {place}')}", file=sys.stderr)
        return code


def _print(options: argparse.Namespace, proposal: Proposal) -> None:
    if options.output:
        Path(options.output).write_text(proposal.text, encoding="utf-8")
    if options.json:
        print_json(
            {"text": proposal.text, "source": proposal.source, "guesses": proposal.guesses, "unknown": proposal.unknown}
        )
    elif not options.output:
        print(proposal.text, end="")


def _from_block(store: AnyStore, path: Path, text: str, pick: Pick) -> Proposal | None:
    """Return what a script block says (PEP 723), as juv and uv write it."""
    block = notebook_block(text) if path.suffix == ".ipynb" else script_block(text)
    if block is None:
        return None
    return _proposal(repair_file(store, str(path), store.own_namespace, pick), "the script block in it")


def _from_beside(store: AnyStore, path: Path, pick: Pick) -> Proposal | None:
    """Return what the first file beside it says that can be read."""
    there = [path.parent / name for name in BESIDE if (path.parent / name).is_file()]
    for place, file in enumerate(there):
        try:
            repaired = repair_file(store, str(file), store.own_namespace, pick)
            read_specification(repaired.text, file.name, held=repaired.held, named=True)
        except SpecificationError as error:
            print(f"note: {file.name} is passed over: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        if others := [other.name for other in there[place + 1 :]]:
            print(f"note: not read: {', '.join(others)}", file=sys.stderr)
        return _proposal(repaired, f"{file.name} beside it")
    return None


def _proposal(repaired: Repaired, source: str) -> Proposal:
    report_changes(repaired)
    return Proposal(repaired.text, source, exclude_newer=repaired.exclude_newer)


def _from_imports(store: AnyStore, path: Path, text: str, chosen: Mapping[str, str]) -> Proposal:
    """Return a specification of the packages that have the modules which the cells import."""
    identity = owner()
    cells, is_r = _code(path, text)
    folder = path.resolve().parent
    modules = r_packages(cells) if is_r else python_modules(with_modules_beside(cells, folder), folder)
    if not modules and not is_r and not cells:
        msg = f"{path} imports nothing, so nothing tells what it needs"
        raise InvalidInputError(msg)
    for module in chosen.keys() - set(modules):
        print(f"note: --package {module}=… is not used: nothing imports {module}", file=sys.stderr)
    draft = Draft(name=name_of(str(path.with_suffix(""))), conda=["r-irkernel"] if is_r else ["python", "ipykernel"])
    installed = _add_installed(draft, cells)
    guesses: dict[str, str] = {}
    missing = [module for module in modules if module not in chosen and module not in installed]
    providers = {module: _provider(store, identity, module, is_r) for module in missing}
    known = _known(store, [_guess(module) for module, found in providers.items() if found is None])
    unknown: list[str] = []
    for module in modules:
        if module in chosen:
            spec, why = chosen[module], "as you say"
        elif module in installed:
            print(f"import {module}: {installed[module]} (a cell installs it)", file=sys.stderr)
            continue
        elif (first := providers[module]) is not None:
            spec = f"pip:{first['package']}" if first["manager"] == "pip" else first["package"]
            why = {
                "contents": f"contains it, as in {', '.join(first['places'])}",
                "known": "is known to have it",
                "convention": "packages of R are called so; whether there is one is not known",
            }[first["source"]]
            if first["source"] == "convention":
                guesses[module] = spec
        elif known is None or _guess(module) in known:
            spec = guesses[module] = _guess(module)
            told = "may be its name; the channels cannot be asked" if known is None else "has the same name"
            why = f"{told}; whether it contains the module is not known"
        else:
            unknown.append(module)
            spec, why = "", "no package of the default channels has this name"
        print(f"import {module}: {spec or 'no package'} ({why})", file=sys.stderr)
        if spec:
            place, line = (draft.pip, spec[4:]) if spec.startswith("pip:") else (draft.conda, spec)
            place.extend([line] if line not in place else [])
    return Proposal(draft.to_yaml(), "its imports", guesses, unknown)


def _guess(module: str) -> str:
    """Return the name that a package may have which contains a module."""
    return module.partition(".")[0].lower().replace("_", "-")


def _known(store: AnyStore, names: list[str]) -> set[str] | None:
    """Return those of some names that packages of the default channels have; None where they cannot be asked."""
    if not names:
        return set()
    try:
        return store.channels.known(names)
    except (EnvStoreError, ValueError):
        return None


def _add_installed(draft: Draft, cells: list[str]) -> dict[str, str]:
    """Add what the cells install; return its lines by the modules that are called as the packages are."""
    found = installed_by(cells)
    for line in found.not_read:
        print(f"note: not read: {line[:120]}", file=sys.stderr)
    draft.conda.extend(spec for spec in found.conda if spec not in draft.conda)
    draft.pip.extend(line for line in found.pip if line not in draft.pip)
    for line in (*found.conda, *(f"pip:{line}" for line in found.pip)):
        print(f"a cell installs {line}", file=sys.stderr)
    names = {re.match(r"[A-Za-z0-9_.-]+", line): line for line in (*found.conda, *found.pip)}
    return {match[0].lower().replace("-", "_"): line for match, line in names.items() if match}


def _provider(store: AnyStore, identity: Identity, module: str, is_r: bool) -> ModuleProvider | None:
    """Return the package that has a module; None where several could be meant, as of a module that they share."""
    parts = module.split(".")
    for length in range(len(parts), min(len(parts), 2) - 1, -1):
        found = store.modules.providers(identity, ".".join(parts[:length]), "r" if is_r else "python")
        if found and (parts[0] not in NAMESPACES or len(found) == 1):
            return found[0]
        if found:
            return None
    return None


def _code(path: Path, text: str) -> tuple[list[str], bool]:
    """Return the code of a script or notebook, and whether it is in R."""
    if path.suffix != ".ipynb":
        is_script = text.startswith("#!") and "python" in text.partition("\n")[0]
        if path.suffix.lower() not in (".py", ".pyw", ".r") and not is_script:
            msg = f"{path} is neither a notebook nor a script in Python or R"
            raise InvalidInputError(msg)
        return [text], path.suffix.lower() == ".r"
    notebook = read_notebook(str(path))
    language = language_of_notebook(notebook)
    if language not in ("python", "r", ""):
        msg = f"{path} is a notebook in {language}; what Python and R import can be read, so write an environment.yml"
        raise InvalidInputError(msg)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return cells, language == "r"


def _chosen(pairs: list[str] | tuple[str, ...]) -> dict[str, str]:
    """Return the packages that the user names for modules; an empty name leaves a module out."""
    chosen = {}
    for pair in pairs:
        module, separator, spec = pair.partition("=")
        if not separator or not module:
            msg = f"{pair[:80]!r} is not MODULE=PACKAGE; for example cv2=opencv, or cv2=pip:opencv-python"
            raise InvalidInputError(msg)
        try:
            if spec.startswith("pip:"):
                read_requirement(spec.removeprefix("pip:"))
            elif spec:
                check_match_spec(spec, False)
        except ValueError as error:
            msg = f"{spec[:80]!r}, for {module}, is no package: {str(error).splitlines()[0]}"
            raise InvalidInputError(msg) from None
        chosen[module] = spec
    return chosen


def _refuse_guesses(proposal: Proposal, accepted: bool) -> None:
    if proposal.unknown:
        first = proposal.unknown[0]
        msg = (
            f"no package is known for: {', '.join(proposal.unknown)}; name it with --package {first}=PACKAGE (empty "
            "for none)"
        )
        raise InvalidInputError(msg)
    if proposal.guesses and not accepted:
        listed = ", ".join(proposal.guesses.values())
        module = next(iter(proposal.guesses))
        msg = (
            f"guessed by their names alone: {listed}; name the package with --package {module}=PACKAGE (empty for "
            "none), or give --accept-guesses"
        )
        raise InvalidInputError(msg)


def _agreed() -> bool:
    """Ask whether it shall be built."""
    if not sys.stdin.isatty():
        msg = "nobody is there to agree to what is built; give --yes"
        raise InvalidInputError(msg)
    print("Build this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
