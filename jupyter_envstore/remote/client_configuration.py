"""What a server that is a client of a store elsewhere hands to its kernels, in a file: they bring environments."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from jupyter_envstore.private_files import write_private

FILE = "remote.json"
"""Name of the file, in the folder of the kernelspecs of one login; for its account alone."""


@dataclass(frozen=True)
class ClientConfiguration:
    """How a store elsewhere is reached, and where its environments are brought to.

    Parameters
    ----------
    url : str
        Address of the store, which ends with ``/envstore``.
    token_file : str
        File with the token; empty for none.
    ca_file : str
        Certificates that count beside those of the system; empty for none.
    with_hub_token : bool
        Whether the store may be asked with the token that a JupyterHub gave to the server.
    store : str
        Configuration of the store of this machine that environments are brought to, as its ``to_text`` gives it.
    most_bytes : int
        Bytes that it may have.
    """

    url: str
    token_file: str
    ca_file: str
    with_hub_token: bool
    store: str
    most_bytes: int

    @property
    def root(self) -> Path:
        """Folder of the store that environments are brought to."""
        return Path(json.loads(self.store)["root_dir"])

    def write(self, folder: Path) -> None:
        """Write it where kernels find it, unless it is there already.

        Raises
        ------
        OSError
            It cannot be written.
        """
        path, text = folder / FILE, json.dumps(asdict(self))
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_private(path, text)

    @classmethod
    def read(cls, path: Path) -> ClientConfiguration:
        """Return what :meth:`write` wrote.

        Raises
        ------
        OSError, ValueError, TypeError
            It cannot be read.
        """
        return cls(**json.loads(path.read_text(encoding="utf-8")))
