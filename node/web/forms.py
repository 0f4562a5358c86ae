"""What was entered in a form: read, made into the record that a use-case wants, or refused in
words beside the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile

from node.errors import InputError

Model = TypeVar("Model", bound=BaseModel)

WRONG = {
    "missing": "请填写",
    "string_too_short": "请填写",
    "string_type": "请填写",
    "string_too_long": "太长，最多 {max_length} 字",
    "literal_error": "请选择一项",
    "uuid_parsing": "请选择一项",
    "int_parsing": "请填写整数",
    "int_type": "请填写整数",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
}
"""By pydantic's names of what can be wrong; what has no words here is `OTHER`."""
DATES = "请填写有效的日期"
OTHER = "填写有误，请检查"


class MistakenError(InputError):
    """What was entered in a form does not fit; `fields` says what is wrong with which."""

    code = "input.fields"
    message = "有内容没有填好，请按下面的提示修改。"

    def __init__(
        self, detail: str | None = None, *, fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or ("; ".join(fields) if fields else None))
        self.fields = dict(fields or {})


class Fields:
    """The fields of a form, all of them text, and the files that came with it."""

    def __init__(
        self, pairs: Iterable[tuple[str, str]], uploads: Iterable[tuple[str, UploadFile]] = ()
    ) -> None:
        self._uploads = tuple(uploads)
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value.replace("\r\n", "\n"))

    def text(self, name: str) -> str:
        """The field without what stands around it; empty where it is absent."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """The field as it was entered."""
        return self._values.get(name, [""])[0]

    def without(self, *names: str) -> Fields:
        """The fields but for these."""
        kept = [(name, one) for name, each in self._values.items() for one in each]
        return Fields([pair for pair in kept if pair[0] not in names], self._uploads)

    def optional(self, name: str) -> str | None:
        """The field, or None where nothing was entered."""
        return self.text(name) or None

    def each(self, name: str) -> list[str]:
        """Everything that was chosen or entered under this name."""
        return [value.strip() for value in self._values.get(name, []) if value.strip()]

    def lines(self, name: str) -> list[str]:
        """What stands on the lines of the field."""
        return [line.strip() for line in self.text(name).split("\n") if line.strip()]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.text(name))

    def number(self, name: str) -> int:
        """A whole number. Raises `MistakenError`."""
        try:
            return int(self.text(name))
        except ValueError as error:
            raise MistakenError(fields={name: WRONG["int_parsing"]}) from error

    def uploads(self, name: str) -> list[UploadFile]:
        """The files that were chosen for this field."""
        return [upload for field, upload in self._uploads if field == name and upload.filename]

    def ids(self, name: str) -> list[UUID]:
        """Things that were chosen. Raises `MistakenError`."""
        try:
            return [UUID(value) for value in self.each(name)]
        except ValueError as error:
            raise MistakenError(fields={name: WRONG["uuid_parsing"]}) from error


async def _fields(request: Request) -> Fields:
    form = await request.form()
    parts = form.multi_items()
    return Fields(
        [(name, value) for name, value in parts if isinstance(value, str)],
        [(name, value) for name, value in parts if isinstance(value, UploadFile)],
    )


Entered = Annotated[Fields, Depends(_fields)]


def record(model: type[Model], **content: Any) -> Model:
    """The record that a use-case wants. Raises `MistakenError`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise MistakenError(fields=dict(_wrong(one) for one in error.errors())) from error


def _wrong(one: Any) -> tuple[str, str]:
    field = str(one["loc"][0]) if one["loc"] else ""
    kind = str(one["type"])
    if kind.startswith(("date", "timezone")):
        return field, DATES
    words = WRONG.get(kind, OTHER)
    return field, words.format(**one.get("ctx", {}))
