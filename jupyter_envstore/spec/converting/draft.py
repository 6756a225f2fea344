"""What is taken out of another tool's file, and written as an ``environment.yml``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.lock_entries import CondaLockfile
from jupyter_envstore.spec.text_editor import Change


@dataclass(frozen=True)
class Pick:
    """What somebody wants of a file that offers several things.

    Parameters
    ----------
    environment : str
        One of its environments; empty for the default one.
    categories : tuple of str
        Its categories, groups or extras; empty for the default ones.
    """

    environment: str = ""
    categories: tuple[str, ...] = ()


class OfferValues(TypedDict):
    """The values of an :class:`Offer` in JSON."""

    environments: Sequence[str]
    environment: str
    categories: Sequence[str]
    taken: Sequence[str]


@dataclass(frozen=True)
class Offer:
    """What a file has to choose from, and what was taken of it; nothing where there is no choice."""

    environments: tuple[str, ...] = ()
    environment: str = ""
    categories: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    def to_json(self) -> OfferValues:
        """Return the values for another process."""
        return {
            "environments": self.environments,
            "environment": self.environment,
            "categories": self.categories,
            "taken": self.taken,
        }

    @classmethod
    def from_json(cls, said: OfferValues) -> Offer:
        """Return what :meth:`to_json` gave."""
        lists = tuple(said["environments"]), tuple(said["categories"]), tuple(said["taken"])
        return cls(lists[0], said["environment"], *lists[1:])


class ChoiceError(SpecificationError):
    """What is taken of a file, chosen or by default, is not there or empty; ``offer`` tells the others."""

    def __init__(self, message: str, offer: Offer) -> None:
        self.offer = offer
        super().__init__(message)

    def with_ways_out(self, environment: str, category: str) -> ChoiceError:
        """Return the same fault, with what else there is and how it is chosen by who asked: options, or fields."""
        others = [name for name in self.offer.environments if name != self.offer.environment]
        ways = ((environment, others), (category, self.offer.categories))
        told = [f"choose with {word}: {', '.join(names)[:300]}" for word, names in ways if names]
        return ChoiceError("; ".join([self.faults[0].message, *told]), self.offer)


@dataclass
class Draft:
    """A specification that is being gathered.

    Parameters
    ----------
    name, description : str
        For people.
    channels, platforms, conda, pip, options : list of str
        As an ``environment.yml`` has them; ``options`` are lines that begin with ``--``.
    variables, requirements : dict of str to str
        Environment variables; what is taken for granted of a system.
    priority : str
        ``disabled`` where packages of all channels are looked at alike.
    python : str
        Bounds of Python where no dependency names it.
    exclude_newer : str
        Packages uploaded later are left out; a choice for one build, not part of a specification.
    offer : Offer
        What there was to choose from.
    told : list of Change
        What was left out or said otherwise, and why.
    placed : set of str
        PyPI packages, by their normalized names, that the file has at an address or in a folder and not in an index.
    """

    name: str = ""
    description: str = ""
    channels: list[str] = field(default_factory=list)
    platforms: list[str] = field(default_factory=list)
    conda: list[str] = field(default_factory=list)
    pip: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    requirements: dict[str, str] = field(default_factory=dict)
    priority: str = ""
    python: str = ""
    exclude_newer: str = ""
    offer: Offer = field(default_factory=Offer)
    told: list[Change] = field(default_factory=list)
    placed: set[str] = field(default_factory=set)

    def tell(self, what: str, why: str) -> None:
        """Tell of a change."""
        self.told.append(Change(what, why))

    def add_python(self) -> None:
        """Name Python where PyPI packages need it and no dependency does."""
        has_python = any(spec.split("::")[-1].split(" ")[0] == "python" for spec in self.conda)
        if has_python or not (self.pip or self.python):
            return
        if not self.python:
            self.python = f"={sys.version_info.major}.{sys.version_info.minor}"
            self.tell(f"python{self.python} added", "PyPI packages need a Python, and the file says none")
        self.conda.insert(0, f"python {self.python}" if self.python[:1] != "=" else f"python{self.python}")

    def to_yaml(self) -> str:
        """Return the text of an ``environment.yml``."""
        self.add_python()
        lines = [f"name: {quoted(self.name)}"]
        lines += [f"description: {quoted(self.description)}"] if self.description else []
        lines += _listed("channels", self.channels)
        lines += [f"channel-priority: {self.priority}"] if self.priority else []
        lines += _listed("platforms", self.platforms)
        lines += _mapped("system-requirements", self.requirements)
        lines += _listed("dependencies", list(dict.fromkeys(self.conda)))
        pip = [*self.options, *dict.fromkeys(self.pip)]  # where packages would come from stays without any, too
        if pip:
            lines += [] if self.conda else ["dependencies:"]
            lines += ["  - pip:", *(f"      - {quoted(line)}" for line in pip)]
        if not self.conda and not pip:
            lines.append("dependencies: []")
        return "\n".join(lines + _mapped("variables", self.variables)) + "\n"


def quoted(value: str) -> str:
    """Return a text as YAML has it, in double quotes, on one line."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\u3000" else f"\\U{ord(c):08x}" for c in text)


def _listed(key: str, items: list[str]) -> list[str]:
    return [f"{key}:", *(f"  - {quoted(item)}" for item in items)] if items else []


def _mapped(key: str, items: dict[str, str]) -> list[str]:
    return [f"{key}:", *(f"  {quoted(name)}: {quoted(value)}" for name, value in items.items())] if items else []


@dataclass
class Repacked:
    """Another tool's file in our words: ``text`` is an ``environment.yml``, or a lockfile that holds ``lock``."""

    text: str
    told: list[Change]
    offer: Offer = field(default_factory=Offer)
    exclude_newer: str = ""
    lock: CondaLockfile | None = None


def finished(draft: Draft, what: str) -> Repacked:
    """Return what a draft has become; ``what`` names the kind of file that it was."""
    text = draft.to_yaml()
    told = [Change(f"{what} read as environment.yml", "converted"), *draft.told]
    return Repacked(text, told, offer=draft.offer, exclude_newer=draft.exclude_newer)


def as_text(value: Any) -> str:
    """Return a value of a TOML file as text: numbers as they are written there."""
    return "true" if value is True else "false" if value is False else str(value)
