"""All traits of the server and the command line: ``c.EnvStoreApp``."""

from __future__ import annotations

from typing import Any

from traitlets import Container, Undefined
from traitlets.traitlets import DefaultHandler

from envstore_reference.markdown import MarkdownDirective, entry, plain
from envstore_reference.sources import application_class, service_class


class TraitsDirective(MarkdownDirective):
    """Every configurable trait that this package adds, those of the command line first."""

    def markdown(self) -> str:
        """Return one entry for each trait, in the order of the code."""
        application = application_class()
        return "\n".join(_trait(application, name) for name in trait_names(application))


class ServiceTraitsDirective(MarkdownDirective):
    """The traits that only a store has that runs alone."""

    def markdown(self) -> str:
        """Return one entry for each trait, in the order of the code."""
        service = service_class()
        names = [name for name in vars(service) if name in service.class_traits(config=True)]
        return "\n".join(_trait(service, name, "EnvStoreService") for name in names)


def trait_names(application: Any) -> list[str]:
    """Return the names of the application's own traits: those of Jupyter's classes are Jupyter's to document."""
    own = [part for part in reversed(application.__mro__) if part.__module__.startswith("jupyter_envstore")]
    configurable = application.class_traits(config=True)
    return [name for part in own for name in vars(part) if name in configurable]


def computed(application: Any, name: str) -> bool:
    """Return whether the default depends on the machine or the server."""
    members = [member for part in application.__mro__ for member in vars(part).values()]
    return any(isinstance(member, DefaultHandler) and member.trait_name == name for member in members)


def _trait(application: Any, name: str, section: str = "EnvStoreApp") -> str:
    trait = application.class_traits()[name]
    kind = type(trait).__name__.removesuffix("Trait")
    inner = getattr(trait, "_trait", None) if isinstance(trait, Container) else None
    if inner is not None:
        kind = f"{kind} of {type(inner).__name__}"
    default = trait.default()
    if computed(application, name):
        shown = "computed, as said below"
    else:
        shown = "empty" if default is Undefined else f"``{default!r}``"
    return entry("confval", f"c.{section}.{name}", {"type": kind, "default": shown}, plain(trait.help))
