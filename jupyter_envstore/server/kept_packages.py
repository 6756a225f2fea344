"""Which files of packages are kept."""

from __future__ import annotations

import re

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.server.base import EnvStoreHandler

MOST = 10_000
"""How many files can be asked for at once: more than any environment has."""
DIGEST = re.compile(r"[0-9a-f]{64}")


class KeptPackagesHandler(EnvStoreHandler):
    """``package/kept/``"""

    max_body = 1 << 20

    async def post(self) -> None:
        """List those of some files that are kept here, and that the caller may read."""
        self.require_login()
        digests = self.field(self.json_body(("sha256",), ("sha256",)), "sha256", list, [])
        if len(digests) > MOST:
            msg = f"'sha256' names {len(digests)} files; ask for {MOST} at most"
            raise InvalidInputError(msg)
        for digest in digests:
            if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
                msg = "'sha256' must be a list of SHA-256 digests, each of 64 hexadecimal digits in lower case"
                raise InvalidInputError(msg)
        self.answer({"sha256": await self.run(self.store.package_channel.kept, self.identity, digests)})


ROUTES = [("package/kept/", KeptPackagesHandler)]
