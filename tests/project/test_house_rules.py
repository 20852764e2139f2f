"""The rules of the house that a machine can check: who imports whom, how long a file is, where a float has no business."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.fast_tests import PARTS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    "ikaroa_sandbox": ROOT / "sandbox/src/ikaroa_sandbox",
    "crm_to_xero": ROOT / "transforms/src/crm_to_xero",
    "tap_salesforce_ikaroa": ROOT / "tap-salesforce-ikaroa/src/tap_salesforce_ikaroa",
    "target_xero": ROOT / "target-xero/src/target_xero",
}
MAY_IMPORT = {"target_xero": {"crm_to_xero"}}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.split()  # fmt: skip
    return [ROOT / name for name in listed if (ROOT / name).exists()] or sorted(ROOT.rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(path: Path) -> Iterator[ast.stmt]:
    """Every statement of a file at whatever depth, without a look into expressions: there is none in them."""
    stack: list[ast.AST] = [tree(path)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt):
            yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            stack += getattr(node, block, ())


@functools.cache
def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in statements(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", SOURCES)
def test_a_package_imports_no_other_than_it_may(package: str) -> None:
    others = set(SOURCES) - {package} - MAY_IMPORT.get(package, set())
    wrong = {
        path.name: imports(path) & others for path in SOURCES[package].rglob("*.py") if imports(path) & others
    }
    assert not wrong


def test_no_python_file_is_longer_than_500_lines() -> None:
    lengths = {p.relative_to(ROOT): len(p.read_text(encoding="utf-8").splitlines()) for p in tracked("*.py")}
    assert {path: length for path, length in lengths.items() if length > 500} == {}


def test_no_function_is_longer_than_70_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for package in SOURCES.values()
        for path in package.rglob("*.py")
        for node in statements(path)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= 70
    ]
    assert not long


def test_the_fast_tests_are_looked_for_in_every_folder(pytestconfig: pytest.Config) -> None:
    """Each test file is in one part, whether the part names it or its folder."""
    named = [ROOT / name for part in PARTS for name in part]
    files = [file for path in named for file in (path.rglob("test_*.py") if path.is_dir() else [path])]
    folders = [ROOT / name for name in pytestconfig.getini("testpaths")]
    assert sorted(files) == sorted(file for folder in folders for file in folder.rglob("test_*.py"))


@pytest.mark.parametrize("package", ["target_xero", "crm_to_xero"])
def test_money_never_meets_a_float(package: str) -> None:
    calls = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES[package].rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\bfloat\(", line)
    ]
    assert not calls


def test_every_package_has_one_errors_file_that_starts_with_its_tree() -> None:
    for package in SOURCES.values():
        docstring = ast.get_docstring(tree(package / "errors.py"))
        assert docstring, package
        assert len(docstring.splitlines()) >= 3, package


@pytest.mark.parametrize("folder", ["tests/proof", "tests/histories"])
def test_every_module_of_a_proof_is_on_its_map(folder: str) -> None:
    page = ast.get_docstring(tree(ROOT / folder / "__init__.py")) or ""
    modules = {path.stem for path in (ROOT / folder).glob("[a-z]*.py") if not path.stem.startswith("test_")}
    assert modules - set(re.findall(r"\w+", page)) == set()


@pytest.mark.parametrize("name", ["dev", "plugins", "uv"])
def test_every_pin_has_its_hashes(name: str) -> None:
    text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    pins = [
        block for block in re.split(r"\n(?=\S)", text) if block.strip() and not block.startswith(("#", "--"))
    ]
    assert len(pins) >= 1
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
