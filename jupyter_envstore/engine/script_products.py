"""What scripts of packages did to a prefix: found, kept in a file, and done again elsewhere without running them.

Scripts run once, when a build is made. What they made, changed and removed is kept with the build record, so a prefix
comes back with the same bytes, and artifacts have them too, whatever the scripts would do another time.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import stat
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.engine.collisions import OutsideLink
from jupyter_envstore.engine.prefix import is_within, remove_tree, walk_files, write_new
from jupyter_envstore.engine.tarstream import Sink, TarStream, compressed
from jupyter_envstore.errors import ArtifactError

CHANGED = "conda-meta/envstore-changed"
"""In a prefix: files of packages that are not as they were packaged, so that no byte code is shared of them."""
MANIFEST = "manifest.json"
FILES = "files/"


@dataclass(frozen=True)
class Touched:
    """Paths in a prefix: what is new, what is another than before, what is gone."""

    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.made or self.changed or self.removed)


class Watched:
    """A prefix while scripts run in it: they get copies of what is shared with the cache, and what they do is seen.

    What they left as it was is shared again afterwards.
    """

    def __init__(self, prefix: Path, scratch: Path) -> None:
        self.prefix = prefix
        self.originals = scratch / "originals"
        self.touched = Touched()
        self._before: dict[str, tuple[int, int]] = {}
        self._shared: dict[str, Path] = {}

    def __enter__(self) -> Watched:
        self.originals.mkdir(parents=True)
        for path, _ in walk_files(self.prefix):
            full = self.prefix / path
            info = full.lstat()
            if stat.S_ISREG(info.st_mode) and info.st_nlink > 1:
                original = self.originals / str(len(self._shared))
                os.link(full, original)
                fresh = self.originals / "copy"
                shutil.copy2(original, fresh)
                fresh.replace(full)
                self._shared[path] = original
            self._before[path] = self._state(path)
        return self

    def __exit__(self, *_: object) -> None:
        after = {path: self._state(path) for path, _ in walk_files(self.prefix)}
        changed = {path for path, state in self._before.items() if path in after and after[path] != state}
        for path, original in self._shared.items():
            if path in after and path not in changed:
                fresh = self.originals / "copy"
                os.link(original, fresh)
                fresh.replace(self.prefix / path)
        remove_tree(self.originals)
        self.touched = Touched(
            tuple(sorted(set(after) - set(self._before))),
            tuple(sorted(changed)),
            tuple(sorted(set(self._before) - set(after))),
        )

    def _state(self, path: str) -> tuple[int, int]:
        """Return what tells that nobody wrote: nobody can set the time of the last change of an inode."""
        info = (self.prefix / path).lstat()
        return info.st_ino, info.st_ctime_ns


def note_changed(prefix: Path, touched: Touched) -> None:
    """Write down in a prefix which files of packages are not theirs any more, and drop byte code of them."""
    theirs = (*touched.changed, *touched.removed)
    for path in theirs:
        if path.endswith(".py"):
            folder, _, name = path.rpartition("/")
            if not is_within(prefix, prefix / folder / "__pycache__"):
                continue
            for compiled in (prefix / folder / "__pycache__").glob(f"{name[:-3]}.cpython-*.pyc"):
                compiled.unlink()
    if theirs:
        write_new(prefix / CHANGED, json.dumps(sorted(theirs)).encode())


def changed_files(prefix: Path) -> set[str]:
    """Return the files that :func:`note_changed` wrote down."""
    try:
        return set(json.loads((prefix / CHANGED).read_bytes()))
    except FileNotFoundError:
        return set()


def write_products(prefix: Path, touched: Touched, sink: Sink) -> list[str]:
    """Write what scripts did into a file; return what cannot be kept (sockets, pipes, devices), which is removed."""
    odd = []
    with compressed(sink, "gz") as output:
        tar = TarStream(output)
        manifest = {"prefix": str(prefix), "changed": touched.changed, "removed": touched.removed}
        tar.add_bytes(json.dumps(manifest).encode(), MANIFEST)
        for path in sorted((*touched.made, *touched.changed)):
            mode = (prefix / path).lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode):
                tar.add_file(prefix / path, f"{FILES}{path}")
            else:
                (prefix / path).unlink()
                odd.append(path)
        tar.close()
    return odd


def apply_products(products: Path, prefix: Path, target: Path, root: Path) -> Touched:
    """Do to a linked prefix what scripts did, as if it lay at ``target``.

    Parameters
    ----------
    products : Path
        What :func:`write_products` wrote.
    root : Path
        The store's folder: no path in it may be left in the files.

    Raises
    ------
    ArtifactError
        A file holds a path of this machine in a way that cannot be changed.
    """
    made: list[str] = []
    with tarfile.open(products, "r:gz") as tar:
        members: Iterator[tarfile.TarInfo] = iter(tar)
        with contextlib.closing(_content(tar, next(members))) as file:
            manifest = json.load(file)
        old = Path(manifest["prefix"])
        for path in manifest["removed"]:  # first: later, a link may stand for the folder that it lay in
            place = prefix / path
            if place.is_symlink() or not place.is_dir():
                place.unlink(missing_ok=True)
        for member in members:
            path = member.name.removeprefix(FILES)
            place = prefix / path
            if not member.isdir() and place.is_dir() and not place.is_symlink():
                remove_tree(place)  # the script had put a file or a link there
            place.parent.mkdir(parents=True, exist_ok=True)
            made.append(path)
            if member.isdir():
                place.mkdir(exist_ok=True)
            elif member.issym():
                place.unlink(missing_ok=True)
                place.symlink_to(_link(member.linkname, path, old, target, root))
            else:
                with contextlib.closing(_content(tar, member)) as file:
                    data = file.read()
                write_new(place, _relocated(data, path, old, target, root), member.mode)
    changed, removed = tuple(manifest["changed"]), tuple(manifest["removed"])
    return Touched(tuple(path for path in made if path not in set(changed)), changed, removed)


def links_out(prefix: Path, target: Path, touched: Touched, whose: str = "a package's script") -> list[OutsideLink]:
    """Return the links out of an environment that scripts of packages made; those to its own path stay inside."""
    found = []
    for path in (*touched.made, *touched.changed):
        place = prefix / path
        if place.is_symlink():
            leads = os.readlink(place)  # noqa: PTH115 - as it is written
            reached = os.path.relpath(leads, target) if leads.startswith("/") else f"{os.path.dirname(path)}/{leads}"  # noqa: PTH120
            if f"{os.path.normpath(reached.lstrip('/'))}/".startswith("../"):
                found.append(OutsideLink(whose, path, leads))
    return found


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> tarfile.ExFileObject:
    file = tar.extractfile(member)
    if not isinstance(file, tarfile.ExFileObject):
        msg = f"{member.name} of what scripts did cannot be read"
        raise ArtifactError(msg)
    return file


def _relocated(data: bytes, path: str, old: Path, new: Path, root: Path) -> bytes:
    """Return the content of a file for another prefix (conda's rules: in binaries, strings keep their length)."""
    if old == new:
        return data
    before, after = os.fsencode(old), os.fsencode(new)
    found = re.compile(re.escape(before) + rb"(?![A-Za-z0-9_.-])")
    if b"\0" not in data:
        data = found.sub(lambda _: after, data)
    elif found.search(data):
        if len(after) > len(before):
            msg = f"{path}, which a script of a package made, holds its path in machine code, where no longer one fits"
            raise ArtifactError(msg)

        def replace(match: re.Match[bytes]) -> bytes:
            text: bytes = match.group()
            replaced = found.sub(lambda _: after, text[:-1])
            return replaced + b"\0" * (len(text) - len(replaced))

        data = re.sub(found.pattern + rb"[^\0]*\0", replace, data)
    if os.fsencode(root) in data:
        msg = f"{path}, which a script of a package made, holds a path of this machine; it must not leave it"
        raise ArtifactError(msg)
    return data


def _link(leads_to: str, path: str, old: Path, new: Path, root: Path) -> str:
    """Return what a link leads to in another prefix: relative, where it stays within."""
    if old == new or not Path(leads_to).is_absolute():
        return leads_to
    place = Path(os.path.normpath(leads_to))
    if place.is_relative_to(old):
        return os.path.relpath(place.relative_to(old), Path(path).parent)
    if place.is_relative_to(root):
        msg = f"{path}, which a script of a package made, leads to a place of this machine's store"
        raise ArtifactError(msg)
    return leads_to
