"""Choices for one build alone; they are kept with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from jupyter_envstore.database.values import OptionValues
from jupyter_envstore.engine.solve import check_virtual_package
from jupyter_envstore.errors import InvalidInputError

TEXTS = ("virtual_packages", "notes", "warnings")


@dataclass(frozen=True)
class BuildOptions:
    """What a build does differently.

    Parameters
    ----------
    exclude_newer : str
        ISO 8601 date or moment; packages uploaded later are left out. A date means its first moment, UTC.
    virtual_packages : tuple of str
        ``__name=version[=build]`` that the system is taken to have.
    all_platforms : bool
        Fail when one platform cannot be locked, instead of leaving it out.
    notes : tuple of str
        What settings changed in the specification, for the log.
    warnings : tuple of str
        What of the specification's text is not followed.
    """

    exclude_newer: str = ""
    virtual_packages: tuple[str, ...] = ()
    all_platforms: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def moment(self) -> datetime | None:
        """The moment of ``exclude_newer`` in UTC."""
        if not self.exclude_newer:
            return None
        moment = datetime.fromisoformat(self.exclude_newer.replace("Z", "+00:00"))
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

    def check(self) -> None:
        """Refuse what cannot be used.

        Raises
        ------
        InvalidInputError
            A date or a virtual package is none.
        """
        try:
            _ = self.moment
        except ValueError:
            msg = f"{self.exclude_newer!r} is not a date; write 2026-01-31 or 2026-01-31T12:00:00Z"
            raise InvalidInputError(msg) from None
        for package in self.virtual_packages:
            check_virtual_package(package)

    def to_json(self) -> OptionValues:
        """Return the values for the database."""
        return {
            "exclude_newer": self.exclude_newer,
            "virtual_packages": list(self.virtual_packages),
            "all_platforms": self.all_platforms,
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, data: OptionValues) -> BuildOptions:
        """Return what :meth:`to_json` gave; an empty mapping means the defaults."""
        return cls(
            data.get("exclude_newer", ""),
            tuple(data.get("virtual_packages", ())),
            data.get("all_platforms", False),
            tuple(data.get("notes", ())),
            tuple(data.get("warnings", ())),
        )
