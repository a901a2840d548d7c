"""House rules of the Python code that no linter knows."""

import ast
import re
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

from tests.tree import is_test, nodes, syntax, text, tracked

# Names that no file may reach, and the one place that may, with its reason.
FORBIDDEN = {
    "eval": "",
    "exec": "",
    ".extractall": "",
    "mark_safe": "aegis/lib/markdown.py",  # the text that nh3 has cleaned
    "marshal": "",
    "os.popen": "",
    "os.system": "",
    "pickle": "",
    "RawSQL": "",
    "require_GET": "",  # require_safe answers HEAD too
    "shelve": "",
    "yaml.full_load": "",
    "yaml.load": "",  # imports.readers.yaml builds from events, with bounds that no loader of PyYAML has
    "yaml.load_all": "",
    "yaml.safe_load": "",
    "yaml.safe_load_all": "",
    "yaml.unsafe_load": "",
}
# What Playwright answers at once, whatever the page is about to show; `expect` waits.
HASTY = {"all_inner_texts", "all_text_contents", "inner_text", "input_value", "is_hidden", "is_visible", "text_content"}


def test_no_python_file_is_longer_than_400_lines():
    long = {str(path): len(text(path).splitlines()) for path in tracked(".py") if "migrations" not in path.parts}
    assert {path: lines for path, lines in long.items() if lines > 400} == {}


def test_every_python_file_says_first_what_it_is_for():
    empty_or_made = [path for path in tracked(".py") if text(path).strip() and "migrations" not in path.parts]
    assert [str(path) for path in empty_or_made if not ast.get_docstring(syntax(path))] == []


def test_dangerous_names_stand_only_where_they_are_allowed():
    found = {
        f"{path}:{line}: {name}"
        for path in tracked(".py")
        for name, line in _reached(path)
        if name in FORBIDDEN and str(path) != FORBIDDEN[name]
    }
    assert found == set()


def test_what_answers_get_answers_head():
    """Link checkers and probes send HEAD."""
    deaf = [
        f"{path}:{node.lineno}"
        for path in tracked(".py")
        for node in nodes(path)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "require_http_methods"
        if "GET" in (methods := ast.literal_eval(node.args[0])) and "HEAD" not in methods
    ]
    assert deaf == []


def test_nothing_is_imported_inside_a_function():
    inside = [
        f"{path}:{node.lineno}"
        for path in tracked(".py")
        for function in nodes(path)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom) and not _registers(function)
    ]
    assert inside == []


def test_every_test_function_can_be_found_by_pytest():
    """A test in a class, or in a file whose name pytest does not collect, would never run."""
    lost = [
        f"{path}:{node.lineno}: {node.name}"
        for path in tracked(".py")
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if not (path.name.startswith("test_") and is_test(path) and node in syntax(path).body)
    ]
    assert lost == []


def test_browser_tests_wait_for_what_they_claim():
    hasty = [
        f"{path}:{claim.lineno}"
        for path in tracked(".py")
        if is_test(path) and re.search("playwright|browser_page", text(path))
        for claim in nodes(path)
        if isinstance(claim, ast.Assert) and any(map(_is_hasty, ast.walk(claim)))
    ]
    assert hasty == []


def _is_hasty(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="page"), attr="url"):
            return True
        case ast.Attribute(value=ast.Call(func=ast.Attribute(attr=found)), attr="count" | "get_attribute"):
            return found == "locator" or found.startswith("get_by_")
        case ast.Attribute(attr=name):
            return name in HASTY
    return False


def test_every_management_command_has_a_test():
    ours = {name for name, app in get_commands().items() if str(app).partition(".")[0] in _our_packages()}
    named_in_tests = {
        node.value
        for path in tracked(".py")
        if is_test(path)
        for node in nodes(path)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert ours - named_in_tests == set()


def _our_packages() -> set[str]:
    roots = {path.parts[0] for path in tracked(".py")}
    return {app.partition(".")[0] for app in settings.INSTALLED_APPS if app.partition(".")[0] in roots}


def _registers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Django loads an app's checks and receivers in `AppConfig.ready`, once all models are there."""
    return function.name == "ready"


def _reached(path: Path) -> list[tuple[str, int]]:
    """Every name that a file reads or imports, with its line: `name`, `module.name`, and `.name` of any object."""
    found = []
    for node in nodes(path):
        match node:
            case ast.Name(id=name, lineno=line):
                found.append((name, line))
            case ast.Attribute(value=value, attr=name, lineno=line):
                found += [(f"{value.id if isinstance(value, ast.Name) else ''}.{name}", line), (f".{name}", line)]
            case ast.Import(names=names, lineno=line):
                found += [(alias.name, line) for alias in names]
            case ast.ImportFrom(module=module, names=names, lineno=line):
                found.append((module or "", line))
                found += [(name, line) for alias in names for name in (alias.name, f"{module}.{alias.name}")]
    return found
