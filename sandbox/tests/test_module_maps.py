"""Each package begins with a map of its modules, for whoever opens it first."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import ikaroa_sandbox
import pytest

HOME = Path(ikaroa_sandbox.__file__).parent
PACKAGES = sorted(path.parent for path in HOME.rglob("__init__.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(HOME.parent)))
def test_every_module_of_a_package_is_on_its_map(package: Path) -> None:
    page = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}
    modules |= {path.parent.name for path in package.glob("*/__init__.py")}
    assert modules - set(re.findall(r"\w+", page)) == set()
