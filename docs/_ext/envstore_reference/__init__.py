"""Sphinx directives that write the reference from the code."""

from __future__ import annotations

from typing import Any

from envstore_reference import command_line, python_modules, rest_api, settings, traits


def setup(app: Any) -> dict[str, Any]:
    """Add the directives."""
    app.add_directive("envstore-traits", traits.TraitsDirective)
    app.add_directive("envstore-service-traits", traits.ServiceTraitsDirective)
    app.add_directive("envstore-settings", settings.SettingsDirective)
    app.add_directive("envstore-commands", command_line.CommandsDirective)
    app.add_directive("envstore-rest-operations", rest_api.OperationsDirective)
    app.add_directive("envstore-rest-schemas", rest_api.SchemasDirective)
    app.add_directive("envstore-python-module", python_modules.PythonModuleDirective)
    app.add_directive("envstore-maker-classes", python_modules.MakerClassesDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
