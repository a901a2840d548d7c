"""The files that the house rules look at: everything that git tracks, in the working tree's state."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@cache
def tracked_files() -> tuple[Path, ...]:
    """Paths relative to ROOT, of files that exist."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(path for name in sorted(listed.split("\0")) if name and (ROOT / (path := Path(name))).is_file())


def tracked(*suffixes: str) -> list[Path]:
    return [path for path in tracked_files() if path.suffix in suffixes]


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def is_test(path: Path) -> bool:
    return "tests" in path.parts or path.name == "conftest.py"


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse(text(path), filename=str(path))


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(syntax(path))
