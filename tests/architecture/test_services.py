"""Every service says who opens the transaction, and every decided side effect can be carried out."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest
from django.conf import settings

from shop.services import relay

APPS = ("shop", "accounts", "catalog", "cart", "payments", "orders")
MARKS = ("own", "inside", "none")


def list_service_modules() -> Iterator[ModuleType]:
    for app in APPS:
        package = importlib.import_module(f"{app}.services")
        for module in pkgutil.iter_modules(package.__path__, f"{app}.services."):
            yield importlib.import_module(module.name)


def list_public_functions() -> Iterator[tuple[str, FunctionType]]:
    for module in list_service_modules():
        for name, function in vars(module).items():
            is_defined_here = (
                inspect.isfunction(function) and function.__module__ == module.__name__
            )
            if is_defined_here and not name.startswith("_"):
                yield f"{module.__name__}.{name}", function


def writes_or_waits(function: FunctionType) -> bool:
    """Say whether a service function is more than a read or arithmetic."""
    tree = ast.parse(inspect.getsource(inspect.unwrap(function)).strip())
    called = {
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    return bool(
        called
        & {
            *("save", "create", "bulk_create", "update", "bulk_update", "delete", "get_or_create"),
            *("update_or_create", "select_for_update", "execute", "enqueue"),
        }
    )


@pytest.mark.parametrize(
    "function", [pytest.param(function, id=name) for name, function in list_public_functions()]
)
def test_a_service_that_changes_something_carries_one_transaction_mark(
    function: FunctionType,
) -> None:
    mark = getattr(function, "transaction_mark", None)

    assert mark in MARKS or (mark is None and not writes_or_waits(function))


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _needs(parameter: Any) -> bool:
    return parameter.default is parameter.empty


def list_enqueued() -> Iterator[tuple[str, str, set[str]]]:
    """Return where a task is decided, its name, and the words it is given."""
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name_of(node.func) == "enqueue":
                    task = node.args[0] if node.args else None
                    if isinstance(task, ast.Constant) and isinstance(task.value, str):
                        words = {keyword.arg or "**" for keyword in node.keywords}
                        place = f"{path.relative_to(settings.BASE_DIR)}:{node.lineno}"
                        yield place, task.value, words - {"key", "delay"}


@pytest.mark.parametrize(("place", "task", "words"), list(list_enqueued()))
def test_every_decided_task_exists_and_takes_what_it_is_given(
    place: str, task: str, words: set[str]
) -> None:
    tasks = relay.registered_tasks()
    assert task in tasks, place

    parameters = inspect.signature(tasks[task].run).parameters.values()
    taken = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY}
    needed = {each.name for each in parameters if each.kind is each.KEYWORD_ONLY and _needs(each)}
    assert needed <= words <= taken, place


def test_at_least_the_known_side_effects_were_found() -> None:
    assert {"shop.send_mail", "orders.send_notice", "payments.send_refund"} <= {
        task for _, task, _ in list_enqueued()
    }


def test_every_task_takes_words_of_later_releases_too() -> None:
    """A row that a newer release wrote must not fail in an older worker, nor the other way round."""
    tasks = {
        name: task
        for name, task in relay.registered_tasks().items()
        if name.partition(".")[0] in APPS
    }

    strict = [
        name
        for name, task in tasks.items()
        if not any(
            each.kind is each.VAR_KEYWORD
            for each in inspect.signature(task.run).parameters.values()
        )
    ]

    assert tasks
    assert strict == []
