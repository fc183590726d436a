"""Statements of the hot path whose SQL the ORM writes once, not anew for each request.

Building a query costs Django several times what PostgreSQL needs to answer it. What buying an order
repeats is therefore built once in a process, with places for its values, and then only run:

    lock = Prepared(lambda pk: Order.objects.select_for_update().filter(pk=pk))
    order = lock.get(order_id)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar, cast

from django.db import DatabaseError, connection, models
from django.db.models import Expression, QuerySet
from django.db.models.expressions import DatabaseDefault
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
        # Its parameter is the place itself, which `_Compiled.fill` replaces by a value.
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
    # The stubs are of a later Django, which takes one argument more.
    populators = get_related_populators(info, select, alias)  # type: ignore[call-arg]

    def read(row: Row) -> Any:
        made = model.from_db(alias, names, row[begin:end])
        for populator in populators:
            populator.populate(row, made)
        return made

    return read


def insert(row: M) -> M:
    """Write one new row, as `save` would for a plain model, and return it."""
    return insert_all([row])[0]


def insert_all(rows: Sequence[M]) -> Sequence[M]:
    """Write new rows of one model in one statement, and set what the database chose for them.

    Nothing is sent to signals, of which the shop has none. Raises what `save` raises.
    """
    if not rows:
        return rows
    model = type(rows[0])
    values = [field.pre_save(rows[0], True) for field in model._meta.local_concrete_fields]
    sql, written, returned = _write_insert(model, tuple(map(_is_given, values)), len(rows))
    params = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in written
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        answers = cursor.fetchall()
    for row, answer in zip(rows, answers, strict=True):
        for name, value in zip(returned, answer, strict=True):
            setattr(row, name, value)
        row._state.adding, row._state.db = False, connection.alias
    return rows


def update(row: models.Model, *names: str) -> None:
    """Write fields of a row that exists, all of them if none is named, as `save` would.

    Raises `DatabaseError` when the row is gone.
    """
    sql, fields = _write_update(type(row), names)
    params = [field.get_db_prep_save(field.pre_save(row, False), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*params, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"{row!r} is not in the database")


def _is_given(value: Any) -> bool:
    """Say whether a value is written; the others are for the database to choose."""
    return value is not None and not isinstance(value, DatabaseDefault)


@cache
def _write_insert(
    model: type[models.Model], given: tuple[bool, ...], count: int
) -> tuple[str, list[models.Field[Any, Any]], list[str]]:
    """Return the statement, the fields that it takes in order, and the names that it gives back."""
    fields = model._meta.local_concrete_fields
    chosen = [
        field for field, is_given in zip(fields, given, strict=True)
        if not is_given and (field.primary_key or field.has_db_default())
    ]  # fmt: skip
    written = [field for field in fields if field not in chosen]
    places = f"({', '.join(['%s'] * len(written))})"
    sql = (
        f"INSERT INTO {_quote(model._meta.db_table)}"
        f" ({', '.join(_quote(field.column) for field in written)})"
        f" VALUES {', '.join([places] * count)}"
        f" RETURNING {', '.join(_quote(field.column) for field in chosen) or 'NULL'}"
    )
    return sql, written, [field.attname for field in chosen] or ["_"]


@cache
def _write_update(
    model: type[models.Model], names: tuple[str, ...]
) -> tuple[str, list[models.Field[Any, Any]]]:
    fields = [
        field
        for field in model._meta.local_concrete_fields
        if not field.primary_key and (not names or field.name in names)
    ]
    assert not names or len(fields) == len(names), names
    pairs = ", ".join(f"{_quote(field.column)} = %s" for field in fields)
    table, key = _quote(model._meta.db_table), _quote(model._meta.pk.column)
    return f"UPDATE {table} SET {pairs} WHERE {key} = %s", fields


def _quote(name: str | None) -> str:
    return f'"{name}"'
