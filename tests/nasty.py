"""Hand-made packages with what goes wrong in practice: prefixes, links, scripts, odd names, old formats."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.channel_maker.package import CondaPackage, write_package

LONG = "/opt/" + "_placeholder" * 20 + "_end"  # 248 bytes, as conda-build makes them
SHORT = "/opt/anaconda1anaconda2anaconda3"

Fill = Callable[[Path], dict[str, tuple[str, str]] | None]


def text_prefix(root: Path) -> dict[str, tuple[str, str]]:
    (root / "etc").mkdir()
    (root / "etc" / "nasty.conf").write_text(f"home={LONG}\nlib={LONG}/lib:{LONG}/lib64\n")
    (root / "bin").mkdir()
    (root / "bin" / "nasty-script").write_text(f"#!{LONG}/bin/python\nprint('script')\n")
    (root / "bin" / "nasty-script").chmod(0o755)
    return {"etc/nasty.conf": (LONG, "text"), "bin/nasty-script": (LONG, "text")}


def binary_prefix(root: Path) -> dict[str, tuple[str, str]]:
    (root / "lib").mkdir()
    blob = b"\x7fBIN\x00" + LONG.encode() + b"/lib/plugin\x00" + LONG.encode() + b"\x00tail\xff\xfe"
    (root / "lib" / "nasty.bin").write_bytes(blob)
    return {"lib/nasty.bin": (LONG, "binary")}


def short_placeholder(root: Path) -> dict[str, tuple[str, str]]:
    (root / "share").mkdir()
    (root / "share" / "short.txt").write_text(f"{SHORT}/share\n")
    return {"share/short.txt": (SHORT, "text")}


def activation(root: Path) -> None:
    for folder, line in (("activate.d", 'export NASTY="$CONDA_PREFIX/nasty"'), ("deactivate.d", "unset NASTY")):
        path = root / "etc" / "conda" / folder / "nasty.sh"
        path.parent.mkdir(parents=True)
        path.write_text(line + "\n")


def links(root: Path) -> None:
    (root / "lib").mkdir()
    (root / "lib" / "libnasty.so.1.2").write_bytes(b"\x7fELF-not-really")
    (root / "lib" / "libnasty.so.1").symlink_to("libnasty.so.1.2")
    (root / "lib" / "libnasty.so").symlink_to("libnasty.so.1")


def odd_names(root: Path) -> None:
    folder = root / "share" / "odd names"
    folder.mkdir(parents=True)
    (folder / "grün — ok.txt").write_text("grün\n")
    (folder / "a file with  spaces").write_text("spaces\n")
    (folder / "quote'and$dollar").write_text("quote\n")
    (folder / ("long" * 40)).write_text("long\n")


def clobber(text: str) -> Fill:
    def fill(root: Path) -> None:
        (root / "share").mkdir()
        (root / "share" / "clobbered.txt").write_text(text)

    return fill


def modes(root: Path) -> None:
    (root / "share").mkdir()
    (root / "share" / "readonly.txt").write_text("0444\n")
    (root / "share" / "readonly.txt").chmod(0o444)
    (root / "share" / "empty.txt").write_text("")


def broken_syntax(root: Path) -> None:
    site = root / "site-packages" / "nastypy"
    site.mkdir(parents=True)
    (site / "__init__.py").write_text("WHERE = __file__\n\ndef main():\n    print('entry point')\n")
    (site / "template.py").write_text("def {{ name }}:\n")  # real packages carry such templates
    (site / "latin.py").write_bytes(b"# -*- coding: latin-1 -*-\nNAME = 'gr\xfcn'\n")


def unimportable(root: Path) -> None:
    site = root / "site-packages" / "nasty_unimportable"
    site.mkdir(parents=True)
    (site / "__init__.py").write_text("import nowhere_to_be_found\n")


def link_script(root: Path) -> None:
    (root / "bin").mkdir()
    (root / "bin" / ".nasty-linked-post-link.sh").write_text('echo linked > "$PREFIX/linked"\n')


def sleepy_activation(root: Path) -> None:
    path = root / "etc" / "conda" / "activate.d" / "sleepy.sh"
    path.parent.mkdir(parents=True)
    path.write_text("sleep 30\n")


def failing_activation(root: Path) -> None:
    path = root / "etc" / "conda" / "activate.d" / "failing.sh"
    path.parent.mkdir(parents=True)
    path.write_text("echo 'nasty: no licence found' >&2\nexit 3\n")


def grumbling_activation(root: Path) -> None:
    """Scripts as conda-forge's compilers bring them: bash's own words, and a last line that is false."""
    folder = root / "etc" / "conda" / "activate.d"
    folder.mkdir(parents=True)
    (folder / "a-compiler.sh").write_text(
        'function _tell() { export GRUMBLE="$1"; }\n_tell "${BASH_SOURCE[0]##*/}"\n[ -n "$NOT_SET" ] && export X=1\n'
    )
    (folder / "b-grumbles.sh").write_text("no-such-command-here\n")


PACKAGES: dict[str, tuple[Fill, list[str]]] = {
    "nasty-text": (text_prefix, []),
    "nasty-binary": (binary_prefix, []),
    "nasty-short": (short_placeholder, []),
    "nasty-activation": (activation, []),
    "nasty-links": (links, []),
    "nasty-names": (odd_names, []),
    "nasty-clobber-a": (clobber("a\n"), []),
    "nasty-clobber-b": (clobber("b\n"), []),
    "nasty-modes": (modes, []),
    "nasty-linked": (link_script, []),
    "nasty-sleepy": (sleepy_activation, []),
    "nasty-failing": (failing_activation, []),
    "nasty-grumbling": (grumbling_activation, []),
    "nasty-needs-old": (modes, ["nasty-versions <2"]),
    "nasty-needs-new": (modes, ["nasty-versions >=2"]),
}


def make_channel(channel: Path) -> Path:
    """Write all nasty packages into ``channel``."""
    for name, (fill, depends) in PACKAGES.items():
        add(channel, name, fill, depends=depends)
    for version in ("1.0", "1.5", "2.0", "2.1"):
        add(channel, "nasty-versions", links, version=version)
    add(
        channel,
        "nasty-python",
        broken_syntax,
        depends=["python"],
        noarch_python=True,
        entry_points=["nasty-entry = nastypy:main"],
    )
    add(channel, "nasty-unimportable", unimportable, depends=["python"], noarch_python=True)
    to_tar_bz2(add(channel, "nasty-old-format", text_prefix))
    index_channel(channel)
    return channel


def add(
    channel: Path,
    name: str,
    fill: Fill,
    version: str = "1.0",
    depends: list[str] | None = None,
    noarch_python: bool = False,
    entry_points: list[str] | None = None,
) -> Path:
    """Write one package and return its path."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        placeholders = fill(root)
        package = CondaPackage(
            name=name,
            version=version,
            build="0",
            subdir="noarch",
            files=root,
            depends=depends or [],
            placeholders=placeholders or {},
            noarch_python=noarch_python,
            entry_points=entry_points or [],
        )
        return write_package(package, channel)


def to_tar_bz2(conda: Path) -> Path:
    """Write a ``.conda`` package again in the old format, in its place."""
    import io

    from zstandard import ZstdDecompressor

    target = conda.with_name(conda.name.replace(".conda", ".tar.bz2"))
    with zipfile.ZipFile(conda) as archive, tarfile.open(target, "w:bz2") as output:
        for name in archive.namelist():
            if not name.endswith(".tar.zst"):
                continue
            data = ZstdDecompressor().stream_reader(io.BytesIO(archive.read(name))).read()
            with tarfile.open(fileobj=io.BytesIO(data)) as inner:
                for member in inner:
                    output.addfile(member, inner.extractfile(member) if member.isfile() else None)
    conda.unlink()
    return target
