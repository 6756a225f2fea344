"""References: where an image is, in a registry, in a folder or in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jupyter_envstore.errors import InvalidInputError

HUB = "docker.io"
HUB_HOST = "registry-1.docker.io"
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
NAME = re.compile(rf"{PART}(?:/{PART})*")
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = re.compile(rf"(?:(?:{LABEL}\.)*{LABEL}|\[[0-9a-fA-F:]+\])(?::\d{{1,5}})?")
LATEST = "latest"
"""The tag that is meant where none is given; of the registry here, that of the active build."""
MAX_NAME = 255
SCRATCH = "scratch"
"""No base at all."""


@dataclass(frozen=True)
class Reference:
    """An image in a registry (distribution specification of the OCI, "pulling manifests").

    Parameters
    ----------
    host : str
        Host and port.
    name : str
        Name of the repository.
    tag, digest : str
        Which image; one of them may be empty.
    """

    host: str
    name: str
    tag: str = ""
    digest: str = ""

    @property
    def which(self) -> str:
        """What stands in the address of the manifest."""
        return self.digest or self.tag or LATEST

    @property
    def address(self) -> str:
        """Host and port that are asked."""
        return HUB_HOST if self.host == HUB else self.host

    def at(self, digest: str) -> Reference:
        """Return the same image by its digest."""
        return Reference(self.host, self.name, self.tag, digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.name}{tag}{'@' if self.digest else ''}{self.digest}"


RECORD_SCHEME = "oci://"
"""What the address of a build record in a registry begins with."""


def parse_record(text: str) -> Reference:
    """Return what ``oci://HOST/NAME[:TAG][@sha256:…]`` names: a build record in a registry.

    Raises
    ------
    InvalidInputError
        It has another form.
    """
    if not text.startswith(RECORD_SCHEME) or "/" not in text.removeprefix(RECORD_SCHEME):
        msg = f"{text[:120]!r} names no build record in a registry: write oci://HOST/NAME:TAG, names in lower case"
        raise InvalidInputError(msg)
    found = parse_image(text.removeprefix(RECORD_SCHEME))
    if found.host == HUB and not text.startswith(f"{RECORD_SCHEME}{HUB}/"):
        msg = f"{text[:120]!r} names no host: write oci://HOST/NAME:TAG"
        raise InvalidInputError(msg)
    return found


def parse_image(text: str) -> Reference:
    """Return what ``[host/]name[:tag][@sha256:…]`` names, by the rules of ``docker pull``.

    Raises
    ------
    InvalidInputError
        It has another form.
    """
    rest, _, digest = text.partition("@")
    head, _, last = rest.rpartition("/")
    last, _, tag = last.partition(":")
    rest = f"{head}/{last}" if head else last
    first, slash, name = rest.partition("/")
    if slash and (re.search(r"[.:]|^localhost$", first) or first != first.lower()):
        host = first
    else:
        host, name = HUB, rest if slash else f"library/{rest}"
    if (
        not HOST.fullmatch(host)
        or not NAME.fullmatch(name)
        or len(name) > MAX_NAME
        or (tag and not TAG.fullmatch(tag))
        or ("@" in text and not DIGEST.fullmatch(digest))
        or (rest.endswith(":") or (":" in text and not tag and not digest and ":" not in host))
    ):
        msg = f"{text[:120]!r} names no image: write HOST/NAME:TAG or HOST/NAME@sha256:DIGEST, names in lower case"
        raise InvalidInputError(msg)
    return Reference(host, name, tag, digest)


def check_base(text: str) -> None:
    """Refuse what is no reference to a base, without a look at whether it is there.

    Raises
    ------
    InvalidInputError
        With the forms that are.
    """
    if text == SCRATCH or re.match(r"oci(?:-archive)?:.", text):
        return
    if not text.startswith("docker://"):
        forms = "docker://NAME:TAG, oci:DIR, oci-archive:FILE or scratch"
        msg = f"docker_base_image {text[:120]!r} is not valid; write {forms}"
        raise InvalidInputError(msg)
    parse_image(text.removeprefix("docker://"))
