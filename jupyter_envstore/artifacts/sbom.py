"""A software bill of materials in CycloneDX's format: every package with its licence, its hashes and its address.

The same record gives the same bytes: its serial number comes of the record, and there is no time of making.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from jupyter_envstore import policy
from jupyter_envstore.artifacts.base import ArtifactRequest, version_of
from jupyter_envstore.artifacts.wheel_licenses import wheel_licenses
from jupyter_envstore.engine.kept_files import unpack_wheels
from jupyter_envstore.engine.pip import PipTarget
from jupyter_envstore.engine.pylock import is_repository
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.engine.sdist import built_wheels
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.package_editing import conda_name, pip_name

if TYPE_CHECKING:
    from cyclonedx.model import HashType
    from cyclonedx.model.component import Component

LIBRARY = "cyclonedx-python-lib"
PROPERTY = "jupyter-envstore"
"""What the names of our properties begin with."""
Licenses: TypeAlias = Mapping[str, str]
"""Of PyPI packages, by their normalised names."""


class Sbom:
    """``<name>-<platform>.cdx.json``, CycloneDX 1.6; the variant is a platform of the lock."""

    def check_variant(self, variant: str) -> None:
        """Any platform may be asked for; the record decides."""
        policy.check_platform(variant)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>-<platform>.cdx.json``: the ending that CycloneDX recommends."""
        return f"{name}-{variant or platform}.cdx.json"

    def media_type(self, variant: str) -> str:
        """The type that is registered for CycloneDX."""
        return "application/vnd.cyclonedx+json; version=1.6"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it."""
        platform = request.variant or request.platform
        licenses = _licenses(request, platform)
        sink.write(sbom_of(request.record, platform, licenses, request.name).encode())
        return {LIBRARY: version_of(LIBRARY)}


def sbom_of(record: BuildRecord, platform: str, licenses: Licenses | None, name: str = "") -> str:
    """Return the bill of materials of ``record`` for ``platform``.

    Parameters
    ----------
    licenses : mapping or None
        Licences of PyPI packages; None where they could not be looked up, which the bill tells.
    name : str
        The name of the environment, if it is another one than in the record.
    """
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    lock = record.lock(platform)
    own = Component(name="jupyter-envstore", version=version_of("jupyter-envstore"), type=ComponentType.APPLICATION)
    root = Component(
        name=name or record.name,
        type=ComponentType.PLATFORM,
        bom_ref="environment",
        description=record.description or None,
    )
    conda = {entry["name"]: _conda_component(entry) for entry in lock.conda}
    pip = {pip_name(package["name"]): _pip_component(package, licenses or {}) for package in lock.pip}
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{record.sha256}/{platform}"))
    bom.metadata.component = root
    bom.metadata.timestamp = None  # type: ignore[assignment]
    bom.metadata.tools.components.add(own)
    bom.metadata.properties.add(Property(name=f"{PROPERTY}:record", value=f"sha256:{record.sha256}"))
    bom.metadata.properties.add(Property(name=f"{PROPERTY}:platform", value=platform))
    if lock.pip and licenses is None:
        bom.metadata.properties.add(Property(name=f"{PROPERTY}:pypi-licenses", value="not looked up"))
    bom.components.update([*conda.values(), *pip.values()])
    for entry in lock.conda:
        needs = (spec.split()[0].lower() for spec in entry.get("depends") or () if spec.strip())
        bom.register_dependency(conda[entry["name"]], [conda[name] for name in dict.fromkeys(needs) if name in conda])
    for package in lock.pip:
        names = dict.fromkeys(pip_name(name) for name in package.get("dependencies") or ())
        there = [found for name in names if (found := pip.get(name) or conda.get(name))]
        bom.register_dependency(pip[pip_name(package["name"])], there)
    bom.register_dependency(root, _requested(record, lock, conda, pip))
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _requested(
    record: BuildRecord, lock: PlatformLock, conda: Mapping[str, Component], pip: Mapping[str, Component]
) -> Iterable[Component]:
    """Return what was asked for; everything, where the record tells no requests."""
    if not record.requested_conda and not record.requested_pip:
        return [*conda.values(), *pip.values()]
    names = [conda_name(spec) for spec in record.requested_conda]
    lines = [pip_name(line) for line in record.requested_pip]
    return [
        *(conda[name] for name in dict.fromkeys(names) if name in conda),
        *(pip[name] for name in dict.fromkeys(lines) if name in pip),
    ]


def _conda_component(entry: CondaEntry) -> Component:
    """Return a conda package; its package URL has the qualifiers that purl-spec defines for ``conda``."""
    channel = entry["channel"].rstrip("/")
    kind = "conda" if entry["fn"].endswith(".conda") else "tar.bz2"
    qualifiers = {"build": entry["build"], "channel": channel.rsplit("/", 1)[-1], "subdir": entry["subdir"]}
    return _component(
        ("conda", entry["name"], entry["version"], qualifiers | {"type": kind}),
        entry["url"],
        _hashes({kind: str(entry.get(kind) or "") for kind in ("md5", "sha256")}),
        entry.get("license") or "",
        {"channel": channel},
    )


def _pip_component(package: PypiEntry, licenses: Licenses) -> Component:
    """Return a PyPI package; of a repository or another address than an index's, the package URL has the address."""
    name, qualifiers = pip_name(package["name"]), {}
    if is_repository(package):
        qualifiers["vcs_url"] = package["url"]
    elif package["index"].startswith("http"):
        qualifiers["file_name"] = package["filename"]
    else:
        qualifiers["download_url"] = package["url"]
    built = {"built-wheel": f"sha256:{package['wheel']['sha256']}"} if "wheel" in package else {}
    index = {"index": package["index"]} if package["index"] else {}
    hashes = _hashes({} if is_repository(package) else {"sha256": package["sha256"]})
    return _component(
        ("pypi", name, package["version"], qualifiers),
        package["url"],
        hashes,
        licenses.get(name, ""),
        index | built,
    )


def _component(
    package: tuple[str, str, str, Mapping[str, str]],
    url: str,
    hashes: list[HashType],
    license_name: str,
    properties: Mapping[str, str],
) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    kind, name, version, qualifiers = package
    purl = PackageURL(kind, None, name, version, dict(qualifiers))
    is_vcs = urlsplit(url).scheme.startswith("git+")
    reference = ExternalReferenceType.VCS if is_vcs else ExternalReferenceType.DISTRIBUTION
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=hashes,
        licenses=[LicenseFactory().make_from_string(license_name)] if license_name else [],
        external_references=[ExternalReference(type=reference, url=XsUri(url))],
        properties=[Property(name=f"{PROPERTY}:{key}", value=value) for key, value in properties.items()],
    )


def _hashes(found: Mapping[str, str]) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType

    algorithms = {"md5": HashAlgorithm.MD5, "sha256": HashAlgorithm.SHA_256}
    return [HashType(alg=algorithms[kind], content=value) for kind, value in found.items() if value]


def _licenses(request: ArtifactRequest, platform: str) -> Licenses | None:
    """Return the licences of the PyPI packages; None where a wheel cannot be had."""
    lock = request.record.lock(platform)
    if not lock.pip:
        return {}
    folder = request.staging / "wheels"
    folder.mkdir(parents=True)
    find = request.blobs.local_file
    target = PipTarget(platform, lock.python or "", lock.virtual_packages)
    try:
        wheels = built_wheels(lock.pip, find, request.staging / "built")
        unpack_wheels(find, folder, request.config.packages / "uv", target, request.progress, wheels)
    except PipError as error:
        request.progress.log(f"warning: the licences of PyPI packages are left out: {str(error).splitlines()[0]}")
        return None
    return wheel_licenses(folder)
