"""The explicit list: addresses and hashes that ``conda create --file`` takes without solving."""

from __future__ import annotations

from jupyter_envstore import policy
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.engine.lock import sort_topologically
from jupyter_envstore.engine.pylock import exact_address
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.tarstream import Sink


class ExplicitList:
    """``@EXPLICIT``; the variant is a platform of the lock."""

    def check_variant(self, variant: str) -> None:
        """Any platform may be asked for; the record decides."""
        policy.check_platform(variant)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>-<platform>.txt``."""
        return f"{name}-{variant or platform}.txt"

    def media_type(self, variant: str) -> str:
        """Text, shown in the browser."""
        return "text/plain; charset=utf-8"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it."""
        sink.write(explicit_list(request.record, request.variant or request.platform).encode())
        return {}


def explicit_list(record: BuildRecord, platform: str) -> str:
    """Return the explicit list of ``record`` for ``platform``.

    The format is that of conda's documentation, "Building identical environments". Packages come after what they
    depend on; those from PyPI stand in comments that pip reads once uncommented.
    """
    lock = record.lock(platform)
    lines = [f"# platform: {platform}", "@EXPLICIT"]
    lines += [
        f"{entry['url']}#{entry.get('md5') or 'sha256:' + entry['sha256']}" for entry in sort_topologically(lock.conda)
    ]
    if lock.pip:
        lines.append("# from PyPI, with: pip install --no-deps")
        lines += [f"# pip {p['name']} @ {exact_address(p)}" for p in lock.pip]
    return "\n".join(lines) + "\n"
