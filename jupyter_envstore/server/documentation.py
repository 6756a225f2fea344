"""The API's own description: an OpenAPI 3.1 document."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jupyter_envstore.policy.artifact_kinds import artifact_kinds
from jupyter_envstore.server.base import EnvStoreHandler


@cache
def document() -> str:
    """Return the text of the document, as JSON."""
    import yaml

    text = (Path(__file__).parent / "openapi.yaml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe one
    named = found["components"]["parameters"]["artifact"]["schema"]["enum"]
    for kind in artifact_kinds().values():  # those of other packages too
        named += [name for name in (kind.wire_name, kind.name) if name not in named]
    return json.dumps(found)


class OpenApiHandler(EnvStoreHandler):
    """``openapi.json``"""

    async def get(self) -> None:
        """Send the document."""
        self.send_text(await self.run(document), "application/json")


ROUTES = [("openapi.json", OpenApiHandler)]
