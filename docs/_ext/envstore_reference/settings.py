"""All settings: what changes at run time, for the whole store, a namespace or an environment."""

from __future__ import annotations

import json
from typing import Any

from envstore_reference.markdown import MarkdownDirective, code, entry, plain
from envstore_reference.sources import setting_kinds

NO_LIMIT = 10**15
TYPES = {list: "list of texts", float: "number", int: "whole number", bool: "true or false", str: "text"}


class SettingsDirective(MarkdownDirective):
    """Every setting, in the order of the code."""

    def markdown(self) -> str:
        """Return one entry for each setting."""
        kinds, restrictions = setting_kinds()
        return "\n".join(_setting(name, kind, name in restrictions) for name, kind in kinds.items())


def _setting(name: str, kind: Any, is_restriction: bool) -> str:
    lines = [plain(kind.help), ""]
    if kind.global_only:
        lines += ["Scope: the whole store only.", ""]
    else:
        lines += ["Scope: the whole store, a namespace or an environment.", ""]
    if is_restriction:
        lines += ["Changed by: admins of the whole store, for every scope.", ""]
    if type(kind.default) in (int, float):
        lines += ["At least 0." if kind.most >= NO_LIMIT else f"From 0 to {kind.most}.", ""]
    options = {"type": TYPES[type(kind.default)], "default": code(json.dumps(kind.default))}
    return entry("confval", name, options, "\n".join(lines))
