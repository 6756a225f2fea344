"""The values of all settings, by their names and types; what they mean stands in :mod:`.settings`."""

from __future__ import annotations

from typing import TypedDict


class SettingValues(TypedDict):
    """Every setting's value that holds at a place."""

    default_namespace: str
    storage_threshold: int
    conda_platforms: list[str]
    conda_max_solve_time: float
    build_artifacts_kept_on_deletion: list[str]
    conda_channel_alias: str
    conda_default_channels: list[str]
    conda_allowed_channels: list[str]
    defaults_channel: str
    conda_solve_platforms: list[str]
    conda_default_packages: list[str]
    conda_included_packages: list[str]
    conda_required_packages: list[str]
    pypi_default_packages: list[str]
    pypi_included_packages: list[str]
    pypi_required_packages: list[str]
    pypi_allowed_indexes: list[str]
    pypi_allow_sdists: bool
    link_scripts: str
    allow_outside_links: bool
    add_ipykernel: bool
    check_imports: bool
    build_artifacts: list[str]
    artifacts_at_once: list[str]
    installer_maker: str
    installer_extras: bool
    installer_pkg: bool
    installer_company: str
    installer_license: str
    share_links: bool
    image_layers: int
    dynamic_bounds: str
    dynamic_fresh_hours: int
    dynamic_limit: int
    retention_builds: int
    retention_days: int
    retention_bytes: int
    keep_packages: str
