"""A small base image of this machine's own loader, C library, shell and certificates, where no registry is in reach."""

from __future__ import annotations

import platform as machine
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.engine.process_environment import scrubbed_environment
from jupyter_envstore.engine.tarstream import TarStream
from jupyter_envstore.errors import ConflictError, ImageError
from jupyter_envstore.images.layers import add_folders, write_layer
from jupyter_envstore.images.oci import INDEX, MANIFEST, Base, Layer, canonical, image_config, manifest, sha256

SHELLS = ("sh", "bash")
PROGRAMS = (
    "basename", "cat", "chmod", "cp", "cut", "date", "dirname", "env", "expr", "false", "find", "grep", "head", "id",
    "ln", "ls", "mkdir", "mktemp", "mv", "pwd", "readlink", "realpath", "rm", "rmdir", "sed", "sleep", "sort", "stat",
    "tail", "tar", "tee", "test", "touch", "tr", "true", "uname", "uniq", "wc", "which", "xargs",
)  # fmt: skip
"""What the scripts of packages call; those that this machine lacks are left out."""
LIBRARIES = (
    "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libresolv.so.2",
    "libnss_files.so.2", "libnss_dns.so.2", "libcrypt.so.1", "libz.so.1", "libexpat.so.1", "libgcc_s.so.1",
    "libstdc++.so.6", "libbz2.so.1.0", "liblzma.so.5", "libffi.so.8", "libuuid.so.1",
)  # fmt: skip
"""What manylinux wheels may take for granted (PEP 600), and a few more that interpreters built elsewhere need."""
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")
TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/os-release": 'ID=envstore\nPRETTY_NAME="libraries of the machine that made this base"\n',
}
SHARED = ("tmp", "var/tmp")
"""Folders that everybody may write to."""
FOLDERS = ("dev", "etc", "home", "opt", "proc", "root", "run", "sys", "usr/local/bin", "var")
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Folders that are links below ``usr`` on today's systems."""


def write_host_base(folder: Path) -> Base:
    """Write an OCI layout with one image of one layer to ``folder``, which must not be there.

    Raises
    ------
    ConflictError, ImageError
        The folder is there; or this machine has no GNU C library.
    """
    if machine.system() != "Linux" or machine.libc_ver()[0] != "glibc":
        msg = "a base image is made of a Linux machine with the GNU C library; this one has none"
        raise ImageError(msg)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        msg = f"{folder} is there already; name a folder that is not"
        raise ConflictError(msg)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        base = _write(staging)
        staging.chmod(0o755)
        if folder.is_dir():
            folder.rmdir()
        staging.rename(folder)
    except BaseException:
        remove_tree(staging)
        raise
    return base


def _write(folder: Path) -> Base:
    blobs = LocalBlobStore(folder / "store")
    files = _files()
    name = f"{machine.machine()}-glibc-{machine.libc_ver()[1]}"

    def entries(tar: TarStream) -> None:
        add_folders(tar, [*files, *TEXTS, *(f"{folder}/x" for folder in FOLDERS)])
        for name in SHARED:
            tar.add_folder(name, 0o1777)
        for link in _merged():
            tar.add_link(link, f"usr/{link}")
        for path in sorted(files):
            tar.add_file(files[path].resolve(), path)
        for path, text in sorted(TEXTS.items()):
            tar.add_bytes(text.encode(), path)

    layer = write_layer(entries, blobs)
    runs = {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
        "Cmd": ["/bin/sh"],
    }
    if certificates := _certificates():
        runs["Env"].append(f"SSL_CERT_FILE={certificates}")
    platform = "linux-64" if machine.machine() == "x86_64" else f"linux-{machine.machine()}"
    config = image_config(platform, Base(""), [(f"files of a machine: {name}", layer)], runs)
    data = manifest(config, [layer], {"org.opencontainers.image.title": f"base {name}"})
    target = folder / "blobs" / "sha256"
    target.mkdir(parents=True)
    blobs.local_file(layer.digest).rename(target / layer.digest)
    remove_tree(blobs.root)
    for text in (config, data):
        (target / sha256(text)).write_bytes(text)
    entry = {"mediaType": MANIFEST, "digest": f"sha256:{sha256(data)}", "size": len(data)}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    (folder / "oci-layout").write_bytes(canonical({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(canonical(index))
    return Base(f"oci:{folder.name}@{entry['digest']}", (Layer(layer.digest, layer.size, layer.diff_id),), runs)


def _merged() -> list[str]:
    return [name for name in MERGED if Path(f"/{name}").is_symlink() and Path(f"/usr/{name}").is_dir()]


def _files() -> dict[str, Path]:
    """Return what goes in: its place in the image, and its file here."""
    found: dict[str, Path] = {}
    programs = [path for name in (*SHELLS, *PROGRAMS) if (path := shutil.which(name, path="/usr/bin:/bin"))]
    missing = [name for name in ("sh", "env") if not any(Path(path).name == name for path in programs)]
    if missing:
        msg = f"this machine has no {', '.join(missing)} to put into a base image"
        raise ImageError(msg)
    binaries = [path for path in programs if _is_binary(Path(path))]
    for path in binaries:
        found[_place(path)] = Path(path)
    known = _library_cache()
    libraries = [known[name] for name in LIBRARIES if name in known]
    for path in [*_needed([*binaries, *libraries]), *libraries]:
        found[_place(path)] = Path(path)
    if certificates := _certificates():
        found[certificates.lstrip("/")] = Path(certificates)
    return found


def _place(path: str) -> str:
    """Return where a file lies in the image: below ``usr``, where this machine has it so."""
    top, _, rest = path.lstrip("/").partition("/")
    return f"usr/{top}/{rest}" if top in _merged() else f"{top}/{rest}"


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _needed(paths: Iterable[str]) -> list[str]:
    """Return the loader and the libraries that binaries need, as the loader finds them (``ldd``)."""
    found: dict[str, None] = {}
    for path in paths:
        done = subprocess.run(
            ["ldd", path], capture_output=True, text=True, check=False, env=scrubbed_environment(LC_ALL="C")
        )
        for line in done.stdout.splitlines():
            match = re.search(r"(?:=>\s*)?(/\S+)\s+\(0x", line)
            if match:
                found[match[1]] = None
    if not found:
        msg = "ldd, which tells what a program needs, found nothing on this machine"
        raise ImageError(msg)
    return list(found)


def _library_cache() -> dict[str, str]:
    """Return where the loader finds libraries, by name (``ldconfig -p``); of this machine's own kind."""
    program = shutil.which("ldconfig", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return {}
    done = subprocess.run(
        [program, "-p"], capture_output=True, text=True, check=False, env=scrubbed_environment(LC_ALL="C")
    )
    kind = {"x86_64": "x86-64", "aarch64": "AArch64"}.get(machine.machine(), "")
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        match = re.match(r"\s*(\S+) \(([^)]*)\) => (\S+)", line)
        if match and kind in match[2] and Path(match[3]).exists():
            found.setdefault(match[1], match[3])
    return found


def _certificates() -> str:
    return next((path for path in CERTIFICATES if Path(path).is_file()), "")
