"""The archive: a packed prefix that runs on another path, by conda-pack's rules."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.artifacts.base import ArtifactRequest, version_of
from jupyter_envstore.artifacts.packed_files import packed_files
from jupyter_envstore.engine.collisions import OutsideLink
from jupyter_envstore.engine.conda_meta import clean_meta, disown_paths, meta_bytes
from jupyter_envstore.engine.environment_variables import write_activation
from jupyter_envstore.engine.finish import finish_prefix
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.prefix import walk_files
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.script_products import Touched, apply_products, links_out
from jupyter_envstore.engine.tarstream import Sink, TarStream, compressed
from jupyter_envstore.errors import ArtifactError, InvalidInputError
from jupyter_envstore.installers.activate import activate_anywhere, deactivate
from jupyter_envstore.spec.wording import counted

FORMATS = {"": "gz", "tar.gz": "gz", "tar.zst": "zst"}
PLACEHOLDER = Path("/opt/envstore_archive_placeholder")
"""The prefix that is written into files before they are packed: the same on every server."""

ACTIVATE, DEACTIVATE = "bin/activate", "bin/deactivate"
"""Our own instead of conda-pack's, which know no variables and fail under ``set -eu``."""


class Archive:
    """``tar.gz`` (the variant ``tar.zst`` too): unpack it anywhere, no conda needed."""

    def check_variant(self, variant: str) -> None:
        """The variant is a format.

        Raises
        ------
        InvalidInputError
            It is none of the formats.
        """
        if variant not in FORMATS:
            msg = f"an archive cannot be {variant!r}; known: tar.gz, tar.zst"
            raise InvalidInputError(msg)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``<name>-<platform>.tar.gz``."""
        return f"{name}-{platform}.{variant or 'tar.gz'}"

    def media_type(self, variant: str) -> str:
        """By format."""
        return "application/zstd" if FORMATS[variant] == "zst" else "application/gzip"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Link the record in a staging folder and pack it."""
        exported = link_for_export(request, PLACEHOLDER)
        write_activation(request.staging, str(PLACEHOLDER))
        with compressed(sink, FORMATS[request.variant]) as output:
            pack(request.staging, PLACEHOLDER, TarStream(output), request, exported)
        return {"conda-pack": version_of("conda-pack"), "py-rattler": version_of("py-rattler")}


@dataclass(frozen=True)
class Exported:
    """How an environment was linked for an artifact.

    Parameters
    ----------
    moment : int
        When the conda packages were linked, by the file system's clock, in nanoseconds: whatever changed later is not
        theirs.
    touched : Touched
        What scripts of packages had done.
    contested : frozenset of str
        Paths that several packages have: what lies there is not what each of them brought.
    site_packages : str
        Where Python packages lie in the prefix.
    """

    moment: int
    touched: Touched
    contested: frozenset[str]
    site_packages: str


def link_for_export(request: ArtifactRequest, target: Path, part: PlatformLock | None = None) -> Exported:
    """Link the record into the request's staging folder, as if it stood at ``target``.

    Parameters
    ----------
    part : PlatformLock or None
        Those of its conda packages that are linked; None for all.

    Raises
    ------
    ArtifactError
        The build's platform is not this machine's; or a link leads out of the environment, and none may.
    """
    lock = part or request.record.lock(request.platform)
    caches = request.config.packages
    linked = link_conda(
        lock,
        request.platform,
        request.staging,
        target,
        caches / "conda",
        Silent(),
        request.record.requested_conda,
        kept=request.blobs.local_file,
    )
    refuse_outside_links(linked.outside_links, request)
    mark = request.staging.with_name(f"{request.staging.name}.linked")
    mark.touch()
    moment = mark.stat().st_ctime_ns
    mark.unlink()
    wheels = request.blobs.local_file
    written_over = finish_prefix(
        request.record,
        request.platform,
        request.staging,
        target,
        caches / "uv",
        request.sandbox,
        wheels,
        Silent(),
        linked,
    )
    touched = Touched()
    if request.products is not None:
        touched = apply_products(request.products, request.staging, target, request.config.root)
        disown_paths(request.staging, {*touched.changed, *touched.removed})
        refuse_outside_links(links_out(request.staging, target, touched), request)
    contested = linked.shared | {collision.path for collision in written_over}
    return Exported(moment, touched, contested, linked.site_packages)


def refuse_outside_links(links: Sequence[OutsideLink], request: ArtifactRequest) -> None:
    """Refuse to hand on links that lead out of the environment, unless they may be.

    Raises
    ------
    ArtifactError
        With package, link and target.
    """
    if links and not request.settings["allow_outside_links"]:
        first, *others = map(str, links)
        more = f", and {counted(len(others), 'more link')} like it" if others else ""
        msg = (
            f"{first}{more}: elsewhere it leads to something else; leave the package out, or have an admin allow it "
            "(setting allow_outside_links)"
        )
        raise ArtifactError(msg)


def pack(prefix: Path, placeholder: Path, tar: TarStream, request: ArtifactRequest, exported: Exported) -> None:
    """Write the files of ``prefix`` by conda-pack's rules: which files, which prefixes ``conda-unpack`` replaces.

    Files that several packages have come out of the prefix: the package cache does not know who won.
    """
    from conda_pack.core import Packer

    touched = exported.touched
    present = dict(walk_files(prefix))
    files = packed_files(prefix, present, exported.site_packages, touched.removed)
    writer = _CondaPackArchive(tar, {ACTIVATE: activate_anywhere(str(placeholder)), DEACTIVATE: deactivate()})
    packer = Packer(str(placeholder), writer)
    needle = str(placeholder).encode()
    changed = {*touched.changed, *exported.contested}
    refuse_machine_code(prefix, needle, touched)
    for place, file in enumerate(files):
        if file.target in changed:  # not what lies in the cache, from where conda-pack takes it
            file.source, file.file_mode, file.prefix_placeholder = f"{prefix}/{file.target}", "unknown", None
        if file.target in writer.instead:  # conda's own
            continue
        if file.target.startswith("conda-meta/") and file.target.endswith(".json"):
            data = clean_meta(json.loads(Path(file.source).read_bytes()))
            tar.add_bytes(meta_bytes(data), file.target)
            packer.packages.append(data)
            continue
        if file.file_mode == "unknown" and not _contains(file.source, needle):
            file.file_mode = None
        if file.file_mode is None:  # most; conda-pack would do the same, after it compared each name with patterns
            status = present.get(file.target) if file.source == f"{prefix}/{file.target}" else None
            tar.add_file(file.source, file.target, status)
        else:
            packer.add(file)
        if place % 500 == 0:
            request.progress.advance(place, len(files), "files")
    packer.prefixes.append((ACTIVATE, str(placeholder), "text"))
    packer.finish()
    tar.close()


def refuse_machine_code(prefix: Path, needle: bytes, touched: Touched) -> None:
    """Refuse what ``conda-unpack`` could not set: paths in machine code that scripts of packages wrote.

    Raises
    ------
    ArtifactError
        With the file.
    """
    for path in (*touched.made, *touched.changed):
        if _contains(f"{prefix}/{path}", needle) and _contains(f"{prefix}/{path}", b"\0"):
            msg = f"{path}, which a script of a package made, holds its path in machine code, which no archive can set"
            raise ArtifactError(msg)


class _CondaPackArchive:
    """What conda-pack's ``Packer`` writes to."""

    def __init__(self, tar: TarStream, instead: Mapping[str, str]) -> None:
        self.tar = tar
        self.instead = instead

    def add(self, source: str, target: str) -> None:
        if target in self.instead:
            self.tar.add_bytes(self.instead[target].encode(), target)
        else:
            self.tar.add_file(source, target)

    def add_bytes(self, source: str, data: bytes, target: str) -> None:
        self.tar.add_bytes(data, target, bool(Path(source).stat().st_mode & 0o111))


def _contains(path: str, needle: bytes) -> bool:
    if Path(path).is_symlink() or Path(path).is_dir():
        return False
    with io.open(path, "rb", buffering=0) as file:  # noqa: UP020
        tail = b""
        while data := file.read(1 << 20):
            if needle in tail + data:
                return True
            tail = data[-len(needle) :]
    return False
