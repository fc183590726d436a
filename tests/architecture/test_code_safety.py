"""What must not be written anywhere: our own rules, where others run bandit and semgrep.

A place that breaks a rule on purpose stands in the list below it, with its reason.
"""

from __future__ import annotations

import ast
import math
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from django.contrib import admin
from django.forms import Form

from tests.architecture.test_house import PAGES, SOURCES, lines_with

ROOT = Path(__file__).resolve().parents[2]

MARKED_SAFE = {
    "catalog/templatetags/facets.py": "joins what format_html made",
    "catalog/queries/product.py": "a description, cleaned by shop.richtext when it is stored",
    "catalog/queries/structured_data.py": "JSON whose <, > and & are escaped in the same line",
    "shop/views/pages.py": "a content page, cleaned by shop.richtext when it is stored",
    "shop/widgets.py": "what the renderer drew, which escapes each value itself",
}
WITHOUT_TOKEN = {
    "payments/views/webhooks.py": "providers sign what they post",
    "accounts/views/notifications.py": "mail programs unsubscribe by a key of the mail (RFC 8058)",
    "shop/views/same_origin.py": "forms of cached pages; who sent it is asked in another way",
}
WRITTEN_STATEMENTS = {
    "shop/services/outbox.py": "the name of the channel, a constant",
    "shop/management/commands/relay.py": "the name of the channel, a constant",
    "shop/management/commands/find_card_numbers.py": "names of our own tables, quoted",
    "shop/services/limits.py": "names of our own tables",
    "accounts/services/audit.py": "as many marks as there are values",
    "catalog/services/popularity.py": "a limit, a constant",
    "catalog/services/vocabulary.py": "two numbers of the function's own",
    "catalog/services/stock.py": "the guard, one of two constants",
    "catalog/search/postings.py": "weights, and one of two constants",
    "catalog/demo/bulk/structure.py": "names of constraints, read from the catalogue",
    "catalog/demo/bulk/filling.py": "names of our own tables",
}
STARTS_PROGRAMS = {
    "config/": "the shop's own processes and its database",
    "orders/proving/": "a proof starts and kills the shop's processes",
    "payments/simulator/running.py": "starts the simulator",
}
WEAK = {"md5", "sha1", "pickle", "marshal", "shelve", "telnetlib", "ftplib"}


@lru_cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def places(matches: Callable[[ast.AST], bool], *, but: dict[str, str] | None = None) -> list[str]:
    """Return where such a node occurs, one `path:line` each, without the places that may."""
    return [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for path in SOURCES
        if "migrations" not in path.parts
        and not (name := str(path.relative_to(ROOT))).startswith(tuple(but or ()))
        for node in ast.walk(read(path))
        if matches(node)
    ]


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def is_call_of(*names: str) -> Callable[[ast.AST], bool]:
    return lambda node: isinstance(node, ast.Call) and name_of(node.func) in names


def test_what_is_marked_as_safe_has_its_reason() -> None:
    assert places(is_call_of("mark_safe", "SafeString", "SafeText"), but=MARKED_SAFE) == []
    assert lines_with(r"\|\s*(safe|safeseq)\b", PAGES) == []


def test_every_door_without_a_token_has_its_reason() -> None:
    assert places(lambda node: name_of(node) == "csrf_exempt", but=WITHOUT_TOKEN) == []


def test_a_reason_is_taken_off_the_list_with_its_place() -> None:
    listed = {**MARKED_SAFE, **WITHOUT_TOKEN, **WRITTEN_STATEMENTS, **STARTS_PROGRAMS}

    assert [path for path in listed if not (ROOT / path).exists()] == []


def test_a_form_names_its_fields() -> None:
    def takes_all(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Assign)
            and any(name_of(target) in ("fields", "exclude") for target in node.targets)
            and isinstance(node.value, ast.Constant)
            and node.value.value == "__all__"
        )

    assert places(takes_all) == []


def test_no_form_takes_its_fields_from_what_was_sent() -> None:
    def sets_what_was_sent(node: ast.AST) -> bool:
        """`Model(**request.POST)`, `update(**data)` and the like."""
        return isinstance(node, ast.Call) and any(
            keyword.arg is None and "POST" in ast.dump(keyword.value) for keyword in node.keywords
        )

    assert places(sets_what_was_sent) == []


def test_no_statement_is_put_together_from_values() -> None:
    def is_written(node: ast.AST) -> bool:
        if not is_call_of("execute", "executemany", "raw", "RawSQL", "extra")(node):
            return False
        first = node.args[0] if node.args else None  # type: ignore[attr-defined]
        return (
            isinstance(first, ast.JoinedStr)
            or (isinstance(first, ast.BinOp) and isinstance(first.op, ast.Mod | ast.Add))
            or (isinstance(first, ast.Call) and name_of(first.func) == "format")
        )

    assert places(is_written, but=WRITTEN_STATEMENTS) == []


def test_no_program_is_started_by_a_shell_or_by_a_page() -> None:
    def has_shell(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and any(
            keyword.arg == "shell" and getattr(keyword.value, "value", True)
            for keyword in node.keywords
        )

    def starts(node: ast.AST) -> bool:
        return isinstance(node, ast.Import) and any(
            alias.name in ("subprocess", "pty") for alias in node.names
        )

    assert places(has_shell) == []
    assert places(is_call_of("system", "popen", "spawnl", "execv"), but=STARTS_PROGRAMS) == []
    assert places(starts, but=STARTS_PROGRAMS) == []


def test_nothing_weak_and_nothing_that_runs_what_it_reads() -> None:
    def is_weak(node: ast.AST) -> bool:
        if isinstance(node, ast.Import):
            return any(alias.name in WEAK for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            return node.module in WEAK or any(alias.name in WEAK for alias in node.names)
        return (
            isinstance(node, ast.Call)
            and name_of(node.func) in WEAK
            # A name for a cache, and nothing that anybody must not guess.
            and not any(keyword.arg == "usedforsecurity" for keyword in node.keywords)
        )

    def runs(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("eval", "exec", "compile", "__import__")
        )

    assert places(is_weak) == []
    assert places(runs) == []


def test_no_request_leaves_without_a_limit_of_time_or_with_any_certificate() -> None:
    def is_careless(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        verify = given.get("verify")
        if isinstance(verify, ast.Constant) and verify.value is False:
            return True
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        is_request = name_of(owner) == "requests" if owner else False  # type: ignore[arg-type]
        is_sent = name_of(node.func) in ("get", "post", "put", "patch", "delete", "request")
        return ((is_request and is_sent) or name_of(node.func) == "urlopen") and (
            "timeout" not in given
        )

    assert places(is_careless) == []


def test_secrets_are_drawn_from_the_systems_own_chance() -> None:
    """Where dice are rolled nobody gains by guessing."""
    dice = {
        "catalog/demo/": "made-up products",
        "orders/proving/": "made-up shoppers and faults",
        "payments/simulator/": "made-up providers",
        "shop/locking.py": "waits a little longer or shorter",
    }

    def draws(node: ast.AST) -> bool:
        return isinstance(node, ast.Import | ast.ImportFrom) and (
            getattr(node, "module", "") == "random"
            or any(alias.name == "random" for alias in node.names)
        )

    assert places(draws, but=dice) == []


def test_every_page_of_the_admin_says_which_fields_it_shows() -> None:
    """A column that is added later must not become editable by itself."""
    silent = [
        type(each).__name__
        for model, each in admin.site._registry.items()
        if model.__module__.split(".")[0] not in ("django", "allauth")
        and not (each.fields or each.fieldsets)
        and type(each).get_fields is admin.ModelAdmin.get_fields
        and type(each).get_fieldsets is admin.ModelAdmin.get_fieldsets
    ]

    assert silent == []


def test_every_form_of_ours_is_found_by_the_other_tests() -> None:
    ours = [form for form in _subclasses(Form) if form.__module__.split(".")[0] in ("catalog",)]

    assert len(ours) > 3


def _subclasses(kind: type) -> Iterator[type]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


# Secrets ------------------------------------------------------------------------------------------

KEYS = re.compile(
    r"-----BEGIN (?:RSA |EC |OPENSSH |DSA |PGP )?PRIVATE KEY"
    r"|\b(?:sk|rk)_live_[0-9A-Za-z]{16,}"
    r"|\bwhsec_[0-9A-Za-z+/]{28,}"
    r"|\bAKIA[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}"
    r"|\bxox[abposr]-[0-9A-Za-z-]{12,}"
    r"|\bAIza[0-9A-Za-z_-]{35}"
    r"|\beyJ[0-9A-Za-z_-]{20,}\.eyJ[0-9A-Za-z_-]{20,}\."
)
ASSIGNED = re.compile(
    r"""(?i)\b[a-z_]*(?:secret|passw(?:or)?d|api_?key|token)[a-z_]*\s*[=:]\s*["']([^"'\s]{20,})["']"""
)


def entropy(text: str) -> float:
    """Return how many bits a character carries; words have 3 to 4, random Base64 more than 4.3."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def find_secrets(text: str) -> list[str]:
    found = [match.group()[:24] for match in KEYS.finditer(text)]
    found += [value[:12] for value in ASSIGNED.findall(text) if entropy(value) > 4.3]
    return found


def git(*words: str) -> str:
    answer = subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=120
    )
    if answer.returncode:
        pytest.skip("this is no git repository")
    return answer.stdout


def test_the_rule_for_secrets_finds_some() -> None:
    # Put together here, so that it does not find itself.
    assert find_secrets("sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc")
    assert find_secrets("-----BEGIN " + "PRIVATE KEY-----")
    assert find_secrets('API_KEY = "' + "9fK2xQ7vLm3RzT8wYb5NcJ4h" + '"')
    assert find_secrets('password = "a long enough password"') == []


def test_no_file_holds_a_secret() -> None:
    found = {}
    for name in git("ls-files").splitlines():
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2**20:
            text = path.read_text("utf-8", errors="replace")
            if secrets := find_secrets(text):
                found[name] = secrets

    assert found == {}


def test_no_former_state_of_a_file_holds_a_key() -> None:
    """The rule for keys alone, over all lines that were ever added."""
    history = git("log", "--patch", "--unified=0", "--no-color", "--format=commit %h")

    found = [
        line[:80] for line in history.splitlines() if line.startswith("+") and KEYS.search(line)
    ]
    assert "+" in history
    assert found == []
