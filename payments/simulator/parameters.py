"""Strict checking of request parameters against the SDK's own description of the API.

The `stripe` package carries a TypedDict per endpoint, generated from Stripe's OpenAPI document.
They are turned into small specifications once, and every request is held against them: an unknown
name, a missing name, a wrong type or a value outside an enumeration is refused as Stripe does.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any, Literal, NotRequired, Union, get_args, get_origin
from urllib.parse import parse_qsl

from stripe import RequestOptions
from stripe._stripe_object import UntypedStripeObject
from typing_extensions import get_type_hints, is_typeddict

from payments.simulator.errors import InvalidParameter

MAX_FIELDS = 4_000
MAX_DEPTH = 8
MAX_METADATA_KEYS = 50
MAX_METADATA_NAME = 40
MAX_METADATA_VALUE = 500
MAX_TEXT = 5_000

Parameters = dict[str, Any]
_UNRESOLVED_NAMES = {"StripeContext": str, "Mapping": Mapping}


@dataclass(frozen=True)
class Text:
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    whole: bool


@dataclass(frozen=True)
class Flag:
    pass


@dataclass(frozen=True)
class Several:
    item: Specification


@dataclass(frozen=True)
class Pairs:
    value: Specification


@dataclass(frozen=True)
class Members:
    known: Mapping[str, Specification] = field(default_factory=dict)
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Either:
    options: tuple[Specification, ...]


Specification = Text | Number | Flag | Several | Pairs | Members | Either


@cache
def specification_of(parameters: type) -> Members:
    """Turn one of the SDK's parameter TypedDicts into a specification."""
    hints = get_type_hints(parameters, localns=_UNRESOLVED_NAMES, include_extras=True)
    known: dict[str, Specification] = {}
    required: list[str] = []
    for name, hint in hints.items():
        if name in RequestOptions.__annotations__:
            continue
        origin: Any = get_origin(hint)
        is_optional = origin is NotRequired
        known[name] = _translate(get_args(hint)[0] if is_optional else hint)
        if not is_optional:
            required.append(name)
    return Members(known, tuple(required))


def _translate(hint: Any) -> Specification:
    if is_typeddict(hint):
        return specification_of(hint)
    if hint is int or hint is float or hint is Decimal:
        return Number(whole=hint is int)
    if hint is bool:
        return Flag()
    if hint is str or hint is type(None):
        return Text()
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return Text(tuple(str(choice) for choice in arguments))
    if origin in (Union, types.UnionType):
        return _translate_union(arguments)
    if origin is list:
        return Several(_translate(arguments[0]))
    if origin is UntypedStripeObject:
        return Pairs(_translate(arguments[0]))
    if origin is dict:
        return Pairs(_translate(arguments[1]))
    raise TypeError(f"The SDK describes a parameter as {hint!r}, which the simulator cannot check.")


def _translate_union(arguments: tuple[Any, ...]) -> Specification:
    """Read `Literal[...] | str` as an enumeration: the SDK adds `str` for values of the future."""
    options: list[Specification] = []
    for argument in _without_doubles(arguments):
        if (option := _translate(argument)) not in options:
            options.append(option)
    enumerations = [option for option in options if isinstance(option, Text) and option.choices]
    if any(choice for option in enumerations for choice in option.choices):
        options = [option for option in options if option != Text()]
    return options[0] if len(options) == 1 else Either(tuple(options))


def _without_doubles(arguments: tuple[Any, ...]) -> list[Any]:
    """Drop the SDK's object form of a dictionary, and the dictionary form of a TypedDict."""
    kept = [argument for argument in arguments if get_origin(argument) is not UntypedStripeObject]
    return kept or list(arguments)


def decode(query: str) -> Parameters:
    """Decode a form such as `line_items[0][quantity]=2` into nested dictionaries of strings."""
    try:
        pairs = parse_qsl(
            query,
            keep_blank_values=True,
            strict_parsing=bool(query),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as fault:
        raise InvalidParameter(f"Invalid form body: {fault}") from fault
    decoded: Parameters = {}
    for name, value in pairs:
        _place(decoded, name, value)
    return decoded


def _place(into: Parameters, name: str, value: str) -> None:
    head, *rest = name.replace("]", "").split("[")
    path = [head, *rest]
    if len(path) > MAX_DEPTH or not head:
        raise InvalidParameter(f"Invalid parameter name: {name[:80]}", param=name[:80])
    place = into
    for step in path[:-1]:
        place = place.setdefault(step, {})
        if not isinstance(place, dict):
            raise InvalidParameter(f"Invalid object: {name}", param=name)
    last = path[-1] or str(len(place))
    if isinstance(place.get(last), dict):
        raise InvalidParameter(f"Invalid object: {name}", param=name)
    place[last] = value


def check(decoded: Parameters, specification: Members) -> Parameters:
    """Return the parameters with their types, or refuse the first fault found."""
    return _check_members(decoded, specification, name="")


def _check(value: Any, specification: Specification, name: str) -> Any:
    match specification:
        case Text():
            return _check_text(value, specification, name)
        case Number():
            return _check_number(value, specification, name)
        case Flag():
            if value not in ("true", "false"):
                raise InvalidParameter(f"Invalid boolean: {_shown(value)}", param=name)
            return value == "true"
        case Several():
            return [
                _check(item, specification.item, f"{name}[{position}]")
                for position, item in enumerate(_list_of(value, name))
            ]
        case Pairs():
            if not isinstance(value, dict):
                raise InvalidParameter("Invalid object", param=name)
            checked = {
                key: _check(item, specification.value, f"{name}[{key}]")
                for key, item in value.items()
            }
            if name.rpartition("[")[2].rstrip("]") == "metadata":
                _check_metadata(checked, name)
            return checked
        case Members():
            return _check_members(value, specification, name)
        case Either():
            return _check_either(value, specification, name)


def _check_members(value: Any, specification: Members, name: str) -> Parameters:
    if not isinstance(value, dict):
        raise InvalidParameter("Invalid object", param=name)
    checked: Parameters = {}
    for key, item in value.items():
        full_name = f"{name}[{key}]" if name else key
        if key not in specification.known:
            raise InvalidParameter(
                f"Received unknown parameter: {full_name}",
                code="parameter_unknown",
                param=full_name,
            )
        checked[key] = _check(item, specification.known[key], full_name)
    for key in specification.required:
        if key not in checked:
            raise missing(f"{name}[{key}]" if name else key)
    return checked


def _check_either(value: Any, specification: Either, name: str) -> Any:
    is_nested = isinstance(value, dict)
    fitting = [
        option
        for option in specification.options
        if isinstance(option, Members | Pairs | Several) == is_nested
    ]
    for option in fitting[:-1]:
        with suppress(InvalidParameter):
            return _check(value, option, name)
    return _check(value, (fitting or specification.options)[-1], name)


def _check_text(value: Any, specification: Text, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidParameter(f"Invalid string: {_shown(value)}", param=name)
    if specification.choices and value not in specification.choices:
        raise InvalidParameter(
            f"Invalid {name}: must be one of {', '.join(specification.choices)}", param=name
        )
    if not value and not specification.choices and "metadata" not in name:
        raise InvalidParameter(
            f"You passed an empty string for '{name}'. An empty value means to unset it, "
            "which is not possible here.",
            code="parameter_invalid_empty",
            param=name,
        )
    if len(value) > MAX_TEXT or "\x00" in value:
        raise InvalidParameter(f"Invalid string: {_shown(value)}", param=name)
    return value


def _check_number(value: Any, specification: Number, name: str) -> int | Decimal:
    digits = value.removeprefix("-") if isinstance(value, str) else ""
    if not specification.whole:
        digits = digits.replace(".", "", 1)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise InvalidParameter(
            f"Invalid {'integer' if specification.whole else 'decimal'}: {_shown(value)}",
            code="parameter_invalid_integer" if specification.whole else None,
            param=name,
        )
    return int(value) if specification.whole else Decimal(value)


def _list_of(value: Any, name: str) -> list[Any]:
    """Read `{"0": ..., "1": ...}` as a list."""
    if not isinstance(value, dict) or not all(
        key.isascii() and key.isdigit() and len(key) < 5 for key in value
    ):
        raise InvalidParameter("Invalid array", param=name)
    return [value[key] for key in sorted(value, key=int)]


def _check_metadata(pairs: Parameters, name: str) -> None:
    """Hold metadata to https://docs.stripe.com/api/metadata: 50 names of 40, values of 500."""
    if len(pairs) > MAX_METADATA_KEYS:
        raise InvalidParameter(
            f"Metadata can have up to {MAX_METADATA_KEYS} keys; {len(pairs)} were sent.", param=name
        )
    for key, value in pairs.items():
        if len(key) > MAX_METADATA_NAME:
            raise InvalidParameter(
                f"Metadata keys can be up to {MAX_METADATA_NAME} characters long.", param=name
            )
        if len(value) > MAX_METADATA_VALUE:
            raise InvalidParameter(
                f"Metadata values can be up to {MAX_METADATA_VALUE} characters long.",
                param=f"{name}[{key}]",
            )


def missing(name: str) -> InvalidParameter:
    """Return the refusal of a request without this parameter."""
    return InvalidParameter(
        f"Missing required param: {name}.", code="parameter_missing", param=name
    )


def _shown(value: Any) -> str:
    return str(value)[:80]
