"""Logins and tokens in a specification's addresses: it is shown to others, so they are left out, and it is told."""

from __future__ import annotations

from collections.abc import Iterator

from jupyter_envstore.spec.addresses import without_login
from jupyter_envstore.spec.document import Items, Table, Text, Value
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.text_editor import Change, Editor

WHY = "specifications are shown to others; store it in the keyring, netrc or auth.json of the account that builds"


def drop_logins(sheet: Sheet) -> tuple[Sheet, list[Change]]:
    """Return a text without the logins and tokens in the addresses of its channels, packages and lines for pip."""
    if not without_login(sheet.text)[1]:
        return sheet, []
    editor = Editor(sheet.text, sheet.root, ())
    told: dict[str, None] = {}
    for item in (item for key in ("channels", "dependencies") for item in _texts(sheet.root.get(key))):
        new, hosts = without_login(str(item))
        if hosts:
            editor.replace(item, new)
            told.update(dict.fromkeys(hosts))
    changes = [Change(f"login for {host[:100]} left out", WHY) for host in told]
    return (sheet.written(editor.result()), changes) if told else (sheet, [])


def _texts(value: Value) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, Items | Table):
        for item in value if isinstance(value, Items) else value.values():
            yield from _texts(item)
