"""Statements of the hot path whose SQL the ORM writes once, not anew for each request.

Building a query costs Django several times what PostgreSQL needs to answer it. What buying an order
repeats is therefore built once in a process, with places for its values, and then only run:

    lock = Prepared(lambda pk: Order.objects.select_for_update().filter(pk=pk))
    order = lock.get(order_id)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from django.db import connection, models
from django.db.models import Expression, QuerySet
from django.db.models.query import (
    FlatValuesListIterable,
    ModelIterable,
    ValuesListIterable,
    get_related_populators,
)

T = TypeVar("T")
M = TypeVar("M", bound=models.Model)
Row = tuple[Any, ...]


class _Place(Expression):
    """Where a value goes: it stands among the parameters of the compiled statement."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


class Prepared(Generic[T]):
    """A query that is compiled at its first use.

    `build` is given a place for each value and may use it as `filter` takes it, but in no list.
    Values are bound as they are: ints, texts, UUIDs, datetimes. The query yields model instances,
    with what `select_related` brings along, or the rows of `values_list`.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]]) -> None:
        self._build = build
        self._compiled: _Compiled | None = None

    def list(self, *values: Any) -> list[T]:
        """Run the query and return all of its rows."""
        compiled = self._compiled or self._compile(len(values))
        if compiled.locks and not connection.in_atomic_block:
            raise RuntimeError("a row is locked in a transaction only")
        with connection.cursor() as cursor:
            cursor.execute(compiled.sql, compiled.fill(values))
            rows = cursor.fetchall()
        return cast("list[T]", [compiled.read(row) for row in rows])

    def first(self, *values: Any) -> T | None:
        """Return the first row, if there is one. All are read: for what has one or none."""
        return next(iter(self.list(*values)), None)

    def get(self, *values: Any) -> T:
        """Return the only row; raises the model's `DoesNotExist`."""
        row = self.first(*values)
        if row is None:
            raise self._build(*values).model.DoesNotExist
        return row

    def _compile(self, count: int) -> _Compiled:
        self._compiled = _Compiled(self._build(*map(_Place, range(count))))
        return self._compiled


class _Compiled:
    """SQL with places, and how to make an object of a row; used by all threads of a process."""

    def __init__(self, queryset: QuerySet[Any, Any]) -> None:
        compiler = queryset.query.get_compiler(using=queryset.db)
        self.sql, self._params = compiler.as_sql()
        columns = [column[0] for column in compiler.select]
        assert not compiler.get_converters(columns), "a column is converted after it was read"
        assert not compiler.annotation_col_map or queryset._iterable_class is not ModelIterable
        self.locks = queryset.query.select_for_update
        self.read = _reader(queryset, compiler)

    def fill(self, values: Row) -> list[Any]:
        return [
            values[param.number] if isinstance(param, _Place) else param for param in self._params
        ]


def _reader(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Row], Any]:
    kind = queryset._iterable_class
    if kind is FlatValuesListIterable:
        return lambda row: row[0]
    if kind is ValuesListIterable:
        return tuple
    assert kind is ModelIterable, kind
    info, select, alias = compiler.klass_info, compiler.select, queryset.db
    model, fields = info["model"], info["select_fields"]
    begin, end = fields[0], fields[-1] + 1
    names = [column[0].target.attname for column in select[begin:end]]
    populators = get_related_populators(info, select, alias)  # type: ignore[call-arg]

    def read(row: Row) -> Any:
        made = model.from_db(alias, names, row[begin:end])
        for populator in populators:
            populator.populate(row, made)
        return made

    return read
