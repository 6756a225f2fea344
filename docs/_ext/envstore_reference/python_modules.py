"""Public Python modules, from their docstrings."""

from __future__ import annotations

from envstore_reference.markdown import MarkdownDirective
from envstore_reference.sources import MAKER_CLASSES, PYTHON_MODULES


class PythonModuleDirective(MarkdownDirective):
    """One module of the public Python API, by the name that ``sources.PYTHON_MODULES`` gives it."""

    required_arguments = 1

    def markdown(self) -> str:
        """Return autodoc's directive; docstrings are reStructuredText."""
        module = PYTHON_MODULES[self.arguments[0]]
        return f"```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :show-inheritance:\n```\n"


class MakerClassesDirective(MarkdownDirective):
    """The classes that a maker of artifacts is given."""

    def markdown(self) -> str:
        """Return autodoc's directives."""
        texts = (f".. autoclass:: {name}\n   :members:\n" for name in MAKER_CLASSES)
        return "```{eval-rst}\n" + "\n".join(texts) + "```\n"
