"""What wheels need, in the words of conda: packages, their extras, and Python."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

WHEEL = re.compile(r"(?:.*/)?([^/]+\.whl)(\[[^\]]*\])?")
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


@dataclass(frozen=True)
class WheelTarget:
    """What the packages are made for: a full Python version and a platform such as ``linux-64``."""

    python: str
    subdir: str

    @property
    def minor(self) -> str:
        """``3.11`` of ``3.11.7``."""
        return ".".join(self.python.split(".")[:2])

    @property
    def environment(self) -> dict[str, str]:
        """The values of markers, but for ``extra``."""
        here = {key: str(value) for key, value in default_environment().items()}
        return here | {"python_version": self.minor, "python_full_version": self.python}


def wheel_metadata(wheel: Path) -> Message:
    """Return what a wheel says of itself (PyPA, "Core metadata specifications").

    Raises
    ------
    ValueError
        It does not, or not in UTF-8.
    zipfile.BadZipFile
        It is no wheel.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if METADATA.fullmatch(name)]
        if len(names) != 1:
            msg = f"it has {'several files' if names else 'no file'} *.dist-info/METADATA"
            raise ValueError(msg)
        return message_from_string(archive.read(names[0]).decode())


def metadata_of(wheels: Iterable[Path]) -> dict[str, Message]:
    """Return what each of some wheels says of itself, by names; those that cannot be read are left out."""
    found: dict[str, Message] = {}
    for wheel in wheels:
        try:
            found[str(parse_wheel_filename(wheel.name)[0])] = wheel_metadata(wheel)
        except (ValueError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):  # told when it is packed
            continue
    return found


def python_spec(python: str, metadata: Message) -> str:
    """Return the dependency on Python; where it is not bound to one, within ``Requires-Python``."""
    requires = metadata.get("Requires-Python")
    if python != "python" or not requires:
        return python
    return f"python {conda_version(SpecifierSet(str(requires)))}".strip()


def depends(name: str, metadata: Message, target: WheelTarget, beside: Mapping[str, Message]) -> list[str]:
    """Return the match specs of what a wheel needs.

    Packages of conda have no extras. So what an extra of another wheel stands for is needed by who asks for it.

    Parameters
    ----------
    beside : mapping
        What the other wheels say of themselves, by names.

    Raises
    ------
    ValueError
        A requirement is none.
    """
    return sorted(_specs(name, _wanted(metadata, target), target, {**beside, name: metadata}))


def asks_for_extras(metadata: Message, target: WheelTarget) -> bool:
    """Whether a wheel needs another one with extras."""
    return any(requirement.extras for requirement in _wanted(metadata, target))


def tell_of_requirements(lines: Sequence[str], target: WheelTarget, found: Mapping[str, Message]) -> list[str]:
    """Tell what of requirements a channel has no place for: extras, and conditions that do not hold.

    Parameters
    ----------
    found : mapping
        What the wheels say of themselves, by names.
    """
    told: list[str] = []
    for line in lines:
        read = _requirement(line)
        if read is None:
            continue
        name = canonicalize_name(read.name)
        if read.marker is not None and not read.marker.evaluate(target.environment | {"extra": ""}):
            told.append(f"{line} left out: its condition does not hold for Python {target.python} on {target.subdir}")
            continue
        metadata = found.get(name)
        for extra in sorted(read.extras) if metadata is not None else ():
            specs = sorted(_specs(name, [Requirement(f"{name}[{extra}]")], target, found))
            if canonicalize_name(extra) not in _extras(found[name]):
                known = ", ".join(sorted(_extras(found[name]))) or "none"
                told.append(f"{name} {found[name]['Version']} has no extra {extra!r}; it has: {known}")
            elif specs:
                told.append(
                    f"{name}[{extra}]: packages of conda have no extras; ask for what it stands for beside {name}: "
                    f"{', '.join(specs)}"
                )
    return told


def _requirement(line: str) -> Requirement | None:
    """Return a requirement, also of a wheel that is named by its path or address, as pip takes it; None for others."""
    with contextlib.suppress(InvalidRequirement):
        return Requirement(line)
    found = WHEEL.fullmatch(line.strip())
    with contextlib.suppress(ValueError):
        return Requirement(f"{parse_wheel_filename(found[1])[0]}{found[2] or ''}") if found else None
    return None


def _extras(metadata: Message) -> set[str]:
    return {str(canonicalize_name(str(name))) for name in metadata.get_all("Provides-Extra") or []}


def _wanted(metadata: Message, target: WheelTarget, extra: str = "") -> list[Requirement]:
    """Return what a wheel needs here, with or without an extra."""
    environment = target.environment
    found = [Requirement(str(text)) for text in metadata.get_all("Requires-Dist") or []]
    asked = [{"extra": ""}, {"extra": extra}] if extra else [{"extra": ""}]
    return [
        requirement
        for requirement in found
        if requirement.marker is None or any(requirement.marker.evaluate(environment | one) for one in asked)
    ]


def _specs(
    own: str, requirements: Sequence[Requirement], target: WheelTarget, found: Mapping[str, Message]
) -> set[str]:
    """Return match specs of requirements, and of all that their extras stand for; without the package itself."""
    specs: set[str] = set()
    seen: set[tuple[str, str]] = set()
    left = list(requirements)
    while left:
        requirement = left.pop()
        name = str(canonicalize_name(requirement.name))
        if name != own:
            specs.add(f"{name} {conda_version(requirement.specifier)}".strip())
        for extra in (str(canonicalize_name(extra)) for extra in requirement.extras):
            metadata = found.get(name)
            if metadata is None or (name, extra) in seen:
                continue
            seen.add((name, extra))
            plain = _wanted(metadata, target)
            left += [more for more in _wanted(metadata, target, extra) if more not in plain]
    return specs


def conda_version(specifier: SpecifierSet) -> str:
    """Return bounds of PEP 440 as conda has them."""
    parts = []
    for bound in sorted(specifier, key=str):
        if bound.operator == "===":
            parts.append(f"=={bound.version}")
        elif bound.operator == "==" and bound.version.endswith(".*"):
            parts.append(bound.version)
        else:
            parts.append(f"{bound.operator}{bound.version}")
    return ",".join(parts)
