"""Where the reference comes from. When a module moves, this is the only file of the documentation to change."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import jupyter_envstore

PACKAGE = Path(jupyter_envstore.__file__).parent
SETTINGS = "jupyter_envstore.policy.settings"
"""Module with ``SETTINGS`` and ``RESTRICTIONS``."""
COMMAND_LINE = "jupyter_envstore.cli.arguments.parser"
"""Module with ``make_parser``."""
PYTHON_MODULES = {
    "client": "jupyter_envstore.client",
    "artifacts": "jupyter_envstore.artifacts.base",
    "executors": "jupyter_envstore.builds.executors",
    "errors": "jupyter_envstore.errors",
}
"""Modules of the public Python API, by the names that the pages use."""
MAKER_CLASSES = (
    "jupyter_envstore.policy.artifact_kinds.ArtifactKind",
    "jupyter_envstore.engine.record.BuildRecord",
    "jupyter_envstore.engine.record.PlatformLock",
    "jupyter_envstore.engine.progress.Progress",
    "jupyter_envstore.engine.tarstream.Sink",
    "jupyter_envstore.config.StoreConfig",
)
"""Classes that a maker of artifacts is given."""


def application_class() -> Any:
    """Return the class whose traits are ``c.EnvStoreApp``: what Jupyter Server is told to load."""
    return jupyter_envstore._jupyter_server_extension_points()[0]["app"]


def service_class() -> Any:
    """Return the class whose traits are ``c.EnvStoreService``: a store that runs alone."""
    return importlib.import_module("jupyter_envstore.application.service").EnvStoreService


def setting_kinds() -> tuple[dict[str, Any], frozenset[str]]:
    """Return all settings by name, and the names of those that only admins of the whole store change."""
    module = importlib.import_module(SETTINGS)
    return module.SETTINGS, module.RESTRICTIONS


def command_line_parser() -> Any:
    """Return the parser of ``jupyter envstore``."""
    return importlib.import_module(COMMAND_LINE).make_parser()


def openapi_file() -> Path:
    """Return the OpenAPI document, the only file of its name in the package."""
    (found,) = PACKAGE.rglob("openapi.yaml")
    return found
