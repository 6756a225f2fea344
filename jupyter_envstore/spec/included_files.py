"""Files that a specification names, beside it: read by the command line, which knows where the specification is."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.document import decode

ELSEWHERE = "only files in the folder of the specification, or below it, are read; copy it there"


class Beside(Protocol):
    """Reads a file that a specification names."""

    def read(self, name: str) -> str:
        """Return its text.

        Raises
        ------
        SpecificationError
            It is not there, lies elsewhere, or cannot be read.
        """


class FilesBeside:
    """The files in a folder and below it.

    Parameters
    ----------
    folder : Path
        Where the specification lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def read(self, name: str) -> str:
        """Return the text of a file; links are followed first, and must end in the folder too.

        Raises
        ------
        SpecificationError
            It is not in the folder, or cannot be read.
        """
        if "://" in name or "\0" in name:
            msg = f"{name[:80]!r} is no file beside the specification; {ELSEWHERE}"
            raise SpecificationError(msg)
        try:
            path = (self.folder / name).resolve()
            if not path.is_relative_to(self.folder):
                msg = f"{name[:80]!r} lies elsewhere: {ELSEWHERE}"
                raise SpecificationError(msg)
            if not path.is_file():
                msg = f"{name[:80]!r} is not there beside the specification, or is no file"
                raise SpecificationError(msg)
            return decode(path.read_bytes(), name)
        except (OSError, RuntimeError) as error:  # a name too long, a loop of links
            msg = f"{name[:80]!r} beside the specification cannot be read: {getattr(error, 'strerror', None) or error}"
            raise SpecificationError(msg) from None
