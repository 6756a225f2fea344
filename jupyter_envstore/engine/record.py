"""The build record: the lock, and what a lock cannot hold, hashed together. The build record is the build."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from jupyter_envstore.errors import PlatformError
from jupyter_envstore.spec.lock_entries import BuiltWheel, CondaEntry, PypiEntry
from jupyter_envstore.spec.package_editing import pip_name
from jupyter_envstore.spec.specification import PipOptions, canonical_json

FORMAT = 1


@dataclass(frozen=True)
class PlatformLock:
    """What is installed on one platform.

    Parameters
    ----------
    conda : tuple of dict
        Repodata records with ``fn``, ``url`` and ``channel``, sorted by name. No credentials.
    pip : tuple of dict
        ``name``, ``version``, ``url``, ``filename``, ``sha256``, ``size`` (bytes), ``index``, ``dependencies``;
        of a source archive also ``wheel``, what was built of it: ``filename``, ``sha256``, ``size``.
    virtual_packages : tuple of str
        ``name=version=build`` of what the platform was taken to have.
    installer_extras : tuple of dict
        Records of what constructor's installers bring beside: conda and pip, where the environment lacks them.
    """

    conda: tuple[CondaEntry, ...]
    pip: tuple[PypiEntry, ...] = ()
    virtual_packages: tuple[str, ...] = ()
    installer_extras: tuple[CondaEntry, ...] = ()

    @property
    def python(self) -> str | None:
        """Full version of Python, where there is one."""
        return next((record["version"] for record in self.conda if record["name"] == "python"), None)

    @property
    def size(self) -> int:
        """Bytes of all packages as they are downloaded."""
        return sum(record.get("size") or 0 for record in (*self.conda, *self.pip))


def package_hash(record: CondaEntry) -> str:
    """Return what a conda package is known by; empty where another file may come to stand at its address."""
    return str(record.get("sha256") or record.get("md5") or "")


@dataclass(frozen=True)
class BuildRecord:
    """All that is needed to make a build again, anywhere, without solving."""

    name: str
    channels: tuple[str, ...]
    platforms: dict[str, PlatformLock]
    description: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    requested_conda: tuple[str, ...] = ()
    requested_pip: tuple[str, ...] = ()
    pip_options: PipOptions = field(default_factory=PipOptions)
    failed_platforms: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    channel_priority: str = ""
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """Return the canonical JSON form: the same record gives the same bytes."""
        value = asdict(self)
        if not self.channel_priority:  # as records were before there was any
            del value["channel_priority"]
        for lock in value["platforms"].values():
            if not lock["installer_extras"]:  # likewise
                del lock["installer_extras"]
        return canonical_json(value)

    @property
    def sha256(self) -> str:
        """Hash of :meth:`to_bytes`."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> BuildRecord:
        """Return what :meth:`to_bytes` gave.

        Raises
        ------
        ValueError
            It is a record of another format.
        """
        raw = json.loads(data)
        if raw.get("format") != FORMAT:
            msg = f"build record of format {raw.get('format')}; this version reads {FORMAT}"
            raise ValueError(msg)
        return cls(
            **{
                **raw,
                **{key: tuple(raw[key]) for key in ("channels", "requested_conda", "requested_pip")},
                "pip_options": PipOptions.from_values(raw["pip_options"]),
                "platforms": {
                    platform: PlatformLock(
                        tuple(lock["conda"]),
                        tuple(lock["pip"]),
                        tuple(lock["virtual_packages"]),
                        tuple(lock.get("installer_extras", ())),
                    )
                    for platform, lock in raw["platforms"].items()
                },
            }
        )

    @property
    def pip_by_address(self) -> frozenset[str]:
        """Normalised names of the PyPI packages that were asked for by their address."""
        return frozenset(pip_name(line) for line in self.requested_pip if "@" in line)

    @property
    def wheels(self) -> list[BuiltWheel]:
        """The wheels that were built here, which lie in the store and nowhere else."""
        found = {p["wheel"]["sha256"]: p["wheel"] for lock in self.platforms.values() for p in lock.pip if "wheel" in p}
        return list(found.values())

    def lock(self, platform: str) -> PlatformLock:
        """Return the lock of ``platform``.

        Raises
        ------
        PlatformError
            It is not in the record; the message tells why.
        """
        if platform in self.platforms:
            return self.platforms[platform]
        reason = self.failed_platforms.get(platform)
        known = ", ".join(sorted(self.platforms))
        msg = f"this build is locked for {known}, not for {platform}" + (f": {reason}" if reason else "")
        raise PlatformError(msg)
