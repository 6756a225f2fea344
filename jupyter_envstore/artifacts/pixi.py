"""A workspace of pixi: ``pixi.toml`` with what was asked for and ``pixi.lock`` with what is installed, as one file."""

from __future__ import annotations

import io
import zipfile

from jupyter_envstore.artifacts.base import ArtifactRequest, version_of
from jupyter_envstore.artifacts.pixi_lock import pixi_lock_of
from jupyter_envstore.artifacts.pixi_manifest import pixi_manifest_of
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import InvalidInputError

MOMENT = (1980, 1, 1, 0, 0, 0)
"""When all files were changed: the same record gives the same bytes."""


class PixiWorkspace:
    """``<name>-pixi.zip`` of all platforms."""

    def check_variant(self, variant: str) -> None:
        """There is one only.

        Raises
        ------
        InvalidInputError
            A variant is named.
        """
        if variant:
            msg = f"a pixi workspace holds all platforms; it has no variant {variant!r}"
            raise InvalidInputError(msg)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>-pixi.zip``."""
        return f"{name}-pixi.zip"

    def media_type(self, variant: str) -> str:
        """An archive of two small files, which every system unpacks."""
        return "application/zip"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write both files into a folder with the environment's name."""
        record = request.named_record
        files = {"pixi.toml": pixi_manifest_of(record), "pixi.lock": pixi_lock_of(record)}
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                info = zipfile.ZipInfo(f"{record.name}/{name}", MOMENT)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, text)
        sink.write(whole.getvalue())
        return {"PyYAML": version_of("PyYAML")}
