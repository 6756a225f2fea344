"""Images on demand: what ``conda-store-dynamic/python.lt.3.10/numpy.gt.1.0`` asks for."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec.names import DYNAMIC

NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_-]+)*")
VERSION = re.compile(r"[0-9][a-z0-9_]*(?:[._-][a-z0-9_]+)*")
OPERATORS = {"lt": "<=", "gt": ">=", "le": "<=", "ge": ">=", "eq": "=="}
"""conda-store's documented rule: ``.lt.`` and ``.gt.`` include the version that they name."""
STRICT = {**OPERATORS, "lt": "<", "gt": ">"}
"""What conda-store's code once made of them."""
MOST = 100
GRAMMAR = "PACKAGE or PACKAGE.OPERATOR.VERSION, operators lt gt le ge eq, for example python.ge.3.10.lt.3.12"
MAX_STEM = 40


@dataclass(frozen=True)
class DynamicImage:
    """An image by its constraints, however they were ordered: the name of its environment, and its match specs."""

    name: str
    specs: tuple[str, ...]

    @property
    def text(self) -> str:
        """The specification, in YAML; its channels are those of the settings."""
        lines = "".join(f"  - {spec!r}\n".replace("'", '"') for spec in self.specs)
        return f"name: {self.name}\ndependencies:\n{lines}"


def parse_dynamic(repository: str, strict: bool = False) -> DynamicImage:
    """Return what the name of a repository in ``conda-store-dynamic`` asks for.

    Parameters
    ----------
    strict : bool
        Whether ``.lt.`` and ``.gt.`` leave out the version that they name (setting ``dynamic_bounds``).

    Raises
    ------
    InvalidInputError
        A constraint has another form; the message has the right one.
    """
    constraints = repository.split("/")[1:]
    if repository.partition("/")[0] != DYNAMIC or not constraints:
        msg = f"an image on demand is called {DYNAMIC}/CONSTRAINT/…: {GRAMMAR}"
        raise InvalidInputError(msg)
    if len(constraints) > MOST:
        msg = f"an image on demand has at most {MOST} constraints, not {len(constraints)}"
        raise InvalidInputError(msg)
    operators = STRICT if strict else OPERATORS
    bounds: dict[str, set[str]] = {}
    for constraint in constraints:
        name, *rest = re.split(r"\.(lt|gt|le|ge|eq)\.", constraint)
        if not NAME.fullmatch(name) or re.search(r"\.(lt|gt|le|ge|eq)$", name):
            msg = f"{constraint[:80]!r} is no constraint: {GRAMMAR}"
            raise InvalidInputError(msg)
        part = re.search(r"\.([0-9][^.]*)", name)
        if part:
            msg = f"{constraint[:80]!r}: a version follows an operator, {part[1][:40]!r} follows none; {GRAMMAR}"
            raise InvalidInputError(msg)
        found = bounds.setdefault(name, set())
        for operator, version in zip(rest[::2], rest[1::2], strict=True):
            if not VERSION.fullmatch(version) or re.search(r"\.(lt|gt|le|ge|eq)$", version):
                msg = f"{constraint[:80]!r}: {version[:40]!r} is no version; {GRAMMAR}"
                raise InvalidInputError(msg)
            found.add(f"{operators[operator]}{version}")
    specs = tuple(f"{name}{','.join(sorted(found))}" for name, found in sorted(bounds.items()))
    digest = hashlib.sha256("\n".join(specs).encode()).hexdigest()[:12]
    stem = re.sub(r"[^a-z0-9-]+", "-", "-".join(sorted(bounds)))[:MAX_STEM].strip("-")
    return DynamicImage(f"{stem or 'image'}-{digest}", specs)
