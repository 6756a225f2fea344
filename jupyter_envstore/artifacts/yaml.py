"""The pinned YAML: every conda and PyPI package exact, for people and for ``conda env create``."""

from __future__ import annotations

import json
import re

from jupyter_envstore import policy
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.engine.pylock import exact_address
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.package_editing import pip_name


class PinnedYaml:
    """``environment.yml`` with ``name=version=build`` of every package; the variant is a platform of the lock."""

    def check_variant(self, variant: str) -> None:
        """Any platform may be asked for; the record decides."""
        policy.check_platform(variant)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>.yml``, with the platform when it is not the usual one."""
        return f"{name}-{variant}.yml" if variant else f"{name}.yml"

    def media_type(self, variant: str) -> str:
        """Text, shown in the browser."""
        return "text/plain; charset=utf-8"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it."""
        sink.write(pinned_yaml(request.named_record, request.variant or request.platform).encode())
        return {}


def pinned_yaml(record: BuildRecord, platform: str) -> str:
    """Return the pinned ``environment.yml`` of ``record`` for ``platform``.

    Packages carry their channel where the lock has more than one, or one that the list of channels does not have.
    Those from PyPI that were given by address keep it; the index of the others stands in a comment.
    """
    lock = record.lock(platform)
    channels = list(record.channels) or sorted({entry["channel"] for entry in lock.conda})
    used = {entry["channel"].rstrip("/") for entry in lock.conda}
    several = len(used) > 1 or not used <= {channel.rstrip("/") for channel in channels}
    lines = [f"# {platform}, exact", f"name: {scalar(record.name)}"]
    if record.description:
        lines.append(f"description: {scalar(record.description)}")
    lines += ["channels:", *(f"  - {scalar(channel)}" for channel in channels)]
    lines += [f"channel-priority: {record.channel_priority}"] if record.channel_priority else []
    lines += [f"platforms: [{platform}]", "dependencies:"]
    for entry in lock.conda:
        lines.append(f"  - {scalar(exact_spec(entry, several))}")
    if lock.pip:
        lines.append("  - pip:")
        indexes = sorted({package["index"] for package in lock.pip if package["index"].startswith("http")})
        lines += [f"      # from {index}" for index in indexes]
        given = record.pip_by_address
        pinned = [_pip_line(package, pip_name(package["name"]) in given) for package in lock.pip]
        lines += [f"      - {scalar(line)}" for line in (*record.pip_options.lines, *pinned)]
    if record.variables:
        lines.append("variables:")
        lines += [f"  {scalar(name)}: {scalar(value)}" for name, value in sorted(record.variables.items())]
    return "\n".join(lines) + "\n"


def exact_spec(entry: CondaEntry, with_channel: bool) -> str:
    """Return the match spec that only this package satisfies."""
    spec = f"{entry['name']}={entry['version']}={entry['build']}"
    return f"{entry['channel']}::{spec}" if with_channel else spec


def scalar(text: str) -> str:
    """Return ``text`` as a YAML scalar: plain where that is safe, quoted as JSON (which YAML reads) elsewhere."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./+=-]*", text)
    if plain and text.lower() not in ("null", "true", "false", "yes", "no", "on", "off", "y", "n"):
        return text
    return json.dumps(text, ensure_ascii=False)


def _pip_line(package: PypiEntry, by_address: bool) -> str:
    if not by_address:
        return f"{package['name']}=={package['version']}"
    is_wheel = package["filename"].endswith(".whl")
    return f"{package['name']} @ {package['url'] if is_wheel else exact_address(package)}"
