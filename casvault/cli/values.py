"""Values of options and arguments, checked without pydantic.

Later versions of typer check every value with pydantic, whose import takes twice as long as typer's own. The few types
that casvault's commands have are checked here; what is wrong goes to typer all the same, for the sake of its messages.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


def check_quickly(param: Any) -> None:
    """Let a parameter check simple values itself. Versions of typer that have no need of it are left alone."""
    descriptor = getattr(param, "type_descriptor", None)
    if descriptor is None or "process_value" in vars(param):
        return
    thorough = param.process_value

    def process_value(ctx: Any, value: Any) -> Any:
        try:
            checked = _checked(param, descriptor.annotation, value)
        except ValueError:
            return thorough(ctx, value)
        return checked if param.callback is None else param.callback(ctx, param, checked)

    param.process_value = process_value


def _checked(param: Any, annotation: Any, value: Any) -> Any:
    """The value as the type that is asked for; ValueError if that takes more than a glance."""
    if not value and param.required:
        raise ValueError
    is_list = param.multiple or param.nargs == -1
    if value is None:
        return () if is_list else None
    if is_list:
        if annotation != list[str]:
            raise ValueError
        return value
    if annotation is int:
        number = int(value)
        if param.min is not None and number < param.min:
            raise ValueError
        return number
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return annotation(value)
    if annotation in (str, bool) and isinstance(value, annotation):
        return value
    raise ValueError
