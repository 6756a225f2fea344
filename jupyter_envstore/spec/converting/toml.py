"""TOML files, and what of them was not carried over.

TOML 1.1 (inline tables on several lines, a comma at their end, ``\\e`` and ``\\x``) is what pixi reads. Python's own
``tomllib`` reads 1.0; ``tomli``, which it was made of, reads 1.1, and is compiled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.converting.draft import Draft


def read_toml(text: str, what: str = "the file") -> dict[str, Any]:
    """Return what a TOML text holds.

    Raises
    ------
    SpecificationError
        It is no TOML.
    """
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        line = getattr(error, "lineno", None)
        message = str(getattr(error, "msg", error))
        raise SpecificationError([Fault(f"{what} is not TOML: {message}", line)]) from None
    except (RecursionError, ValueError) as error:
        msg = f"{what} cannot be read: {type(error).__name__}"
        raise SpecificationError(msg) from None


class Source:
    """A table of which values are taken one by one; what nobody took is told by its dotted name."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._all = data
        self._left = _copy(data)

    def take(self, *path: str) -> Any:
        """Return the value at a path and count it as carried over; None where there is none.

        Raises
        ------
        SpecificationError
            Something on the way is no table.
        """
        table: Any = self._all
        left: Any = self._left
        for place, key in enumerate(path):
            if not isinstance(table, Mapping):
                name = ".".join(path[:place])
                msg = f"{name} must be a table, as in: [{name}]"
                raise SpecificationError(msg)
            if key not in table:
                return None
            if place == len(path) - 1:
                if isinstance(left, dict):
                    left.pop(key, None)
                return table[key]
            table = table[key]
            left = left.get(key, {}) if isinstance(left, dict) else {}
        return None

    def table(self, *path: str) -> dict[str, Any]:
        """Return a table at a path and count it as carried over; empty where there is none.

        Raises
        ------
        SpecificationError
            Something else stands there.
        """
        found = self.take(*path)
        if found is None:
            return {}
        if not isinstance(found, dict):
            name = ".".join(path)
            msg = f"{name} must be a table, as in: [{name}]"
            raise SpecificationError(msg)
        return found

    def texts(self, *path: str) -> list[str]:
        """Return a list of texts at a path and count it as carried over; empty where there is none.

        Raises
        ------
        SpecificationError
            Something else stands there.
        """
        found = self.take(*path)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            msg = f"{'.'.join(path)} must be a list of texts"
            raise SpecificationError(msg)
        return found

    def text(self, *path: str) -> str:
        """Return a text at a path and count it as carried over; empty where there is none, or something else."""
        found = self.take(*path)
        return found if isinstance(found, str) else ""

    def peek(self, *path: str) -> Any:
        """Return the value at a path without counting it as carried over; None where there is none."""
        found: Any = self._all
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def rest(self, opened: Collection[str] = ()) -> list[str]:
        """Return the dotted names of what nobody took; a table that was not touched is one name.

        Of those in ``opened``, each part is a name.
        """
        return list(_names(self._all, self._left, "", opened))


def _copy(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of which values can be taken: the tables in it are copied, other values are not."""
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


def _names(whole: Mapping[str, Any], left: Mapping[str, Any], prefix: str, opened: Collection[str]) -> list[str]:
    found = []
    for key, value in left.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and (value != whole.get(key) or name in opened):
            found += _names(whole[key], value, f"{name}.", opened)
        elif value != {}:
            found.append(name)
    return found


def tell_rest(
    source: Source, draft: Draft, reasons: Mapping[str, str], prefix: str = "", opened: Collection[str] = ()
) -> None:
    """Tell what of a file was not carried over, with the reasons that are known, each once.

    Parameters
    ----------
    source : Source
        The file.
    draft : Draft
        Told.
    reasons : mapping
        Dotted names, or beginnings of some, to why they have no place here.
    prefix : str
        Before the names, for example ``tool.pixi.``.
    opened : collection of str
        Tables that are told of part by part, even where none of them was touched.
    """
    by_reason: dict[str, list[str]] = {}
    for name in source.rest(opened):
        parts = name.split(".")
        keys = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
        why = next((reasons[key] for key in keys if key in reasons), "it has no place in a specification")
        by_reason.setdefault(why, []).append(f"{prefix}{name}")
    for why, names in by_reason.items():
        draft.tell(f"{', '.join(names)} left out", why)
