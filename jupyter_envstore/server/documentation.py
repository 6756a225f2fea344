"""The API's own description: an OpenAPI 3.1 document."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from jupyter_envstore.server.base import EnvStoreHandler


@cache
def document() -> str:
    """Return the text of the document, as JSON."""
    import yaml

    text = (Path(__file__).parent / "openapi.yaml").read_text(encoding="utf-8")
    return json.dumps(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))  # noqa: S506 - a safe one


class OpenApiHandler(EnvStoreHandler):
    """``openapi.json``"""

    async def get(self) -> None:
        """Send the document."""
        self.send_text(await self.run(document), "application/json")


ROUTES = [("openapi.json", OpenApiHandler)]
