"""The REST API, from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from envstore_reference.markdown import MarkdownDirective, code, plain, table
from envstore_reference.sources import openapi_file

VERBS = ("get", "head", "post", "put", "delete")
GENERAL = ("400", "401", "403", "404")
"""Statuses that nearly every operation has; the page explains them once."""


class OperationsDirective(MarkdownDirective):
    """Every operation, by the first part of its path."""

    def markdown(self) -> str:
        """Return a section for each part, in it one for each operation."""
        self.env.note_dependency(str(openapi_file()))
        paths: dict[str, list[str]] = {}
        for path, verb, operation in operations(document()):
            first = path.strip("/").partition("/")[0] or "/"
            paths.setdefault(first, []).append(_operation(path, verb, operation))
        return "\n".join(f"### {first}\n\n" + "\n".join(texts) for first, texts in paths.items())


class SchemasDirective(MarkdownDirective):
    """Every object that answers and requests are made of."""

    def markdown(self) -> str:
        """Return a section for each schema."""
        self.env.note_dependency(str(openapi_file()))
        schemas = document()["components"]["schemas"]
        return "\n".join(_schema(name, schema) for name, schema in schemas.items())


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(openapi_file().read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe one
    return found


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give path, verb and operation, parameters of the path among those of the operation."""
    for path, item in openapi["paths"].items():
        for verb in VERBS:
            if verb in item:
                operation = item[verb]
                parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
                yield path, verb, {**operation, "parameters": parameters}


def _operation(path: str, verb: str, operation: dict[str, Any]) -> str:
    lines = [f"#### {verb.upper()} {code(path)}", "", plain(operation["summary"]), ""]
    if operation.get("description"):
        lines += [plain(operation["description"]), ""]
    parameters = [resolve(parameter) for parameter in operation["parameters"]]
    if parameters:
        rows = [
            (code(p["name"]), p["in"], type_of(p.get("schema", {})), plain(p.get("description", "")))
            for p in parameters
        ]
        lines += [table(("parameter", "in", "type", "meaning"), rows), ""]
    body = operation.get("requestBody")
    if body:
        (content,) = resolve(body)["content"].values()
        lines += ["Body:", "", _properties(content["schema"]), ""]
    answers = [
        (code(status), _answer(resolve(answer)))
        for status, answer in operation["responses"].items()
        if status not in GENERAL
    ]
    lines += [table(("status", "answer"), answers), ""] if answers else []
    return "\n".join(lines)


def _answer(answer: dict[str, Any]) -> str:
    parts = [plain(answer.get("description", ""))]
    for media_type, content in answer.get("content", {}).items():
        schema = content.get("schema", {})
        data = schema.get("properties", {}).get("data")
        shown = f", `data`: {type_of(data)}" if data else ""
        parts.append(f"{code(media_type)}{shown}")
    return " ".join(parts)


def _schema(name: str, schema: dict[str, Any]) -> str:
    lines = [f"(schema-{name.lower()})=", "", f"### {name}", ""]
    if schema.get("description"):
        lines += [plain(schema["description"]), ""]
    return "\n".join([*lines, _properties(schema), ""])


def _properties(schema: dict[str, Any]) -> str:
    schema = schema if "$ref" not in schema else {"type": "object", "allOf": [schema]}
    required = schema.get("required", ())
    rows = [
        (code(name), type_of(value), "yes" if name in required else "", plain(value.get("description", "")))
        for name, value in schema.get("properties", {}).items()
    ]
    if not rows:
        return type_of(schema) + "\n"
    return table(("field", "type", "required", "meaning"), rows)


def resolve(item: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference within the document stands for."""
    while "$ref" in item:
        found: Any = document()
        for part in item["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        item = found
    return item


def type_of(schema: Any) -> str:
    """Return a schema in a few words, with links to the schemas that have a name."""
    if not isinstance(schema, dict) or not schema:
        return "any"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#schema-{name.lower()})"
    for key, word in (("anyOf", " or "), ("oneOf", " or "), ("allOf", " and ")):
        if key in schema:
            return word.join(type_of(part) for part in schema[key])
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(value) for value in schema["enum"])
    kinds = schema.get("type", "any")
    return " or ".join(_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _kind(kind: str, schema: dict[str, Any]) -> str:
    if kind == "array":
        items = schema.get("items", {})
        return f"list of ({type_of(items)})" if "enum" in items or "anyOf" in items else f"list of {type_of(items)}"
    if kind == "object":
        named = schema.get("properties")
        if named:
            fields = (f"{code(name)}: {type_of(value)}" for name, value in named.items())
            return "object with " + "; ".join(fields)
        values = schema.get("additionalProperties")
        return f"object of {type_of(values)}" if isinstance(values, dict) else "object"
    if kind == "string" and "format" in schema:
        return f"string ({schema['format']})"
    return str(kind)
