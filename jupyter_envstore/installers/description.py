"""What an installer says of itself."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.policy.setting_values import SettingValues


@dataclass(frozen=True)
class About:
    """Name, version and texts of an installer."""

    name: str
    version: str
    platform: str
    company: str
    welcome: str
    licence: str


def about(record: BuildRecord, platform: str, settings: SettingValues) -> About:
    """Return what the installer of a build says: of the record and the settings, nothing of when or where."""
    lock = record.lock(platform)
    company = settings["installer_company"]
    counts = f"{len(lock.conda)} conda packages" + (f" and {len(lock.pip)} from PyPI" if lock.pip else "")
    lines = [record.description, f"{counts}, exactly as they were locked.", *([f"By {company}."] if company else [])]
    return About(
        name=record.name,
        version=record.sha256[:12],
        platform=platform,
        company=company,
        welcome="\n".join(line for line in lines if line),
        licence=settings["installer_license"],
    )
