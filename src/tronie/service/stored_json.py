"""The nouns of `stored` as JSON for the table, and back. Strict: what is not exactly such a noun is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from tronie.runtime.json_text import parsed
from tronie.service.stored import Report, TableError, Upload

T = TypeVar("T")
UPLOADS = TypeAdapter(tuple[Upload, ...])
REPORT = TypeAdapter(Report)


def json_of(value: Any) -> str:
    """Plain JSON in ASCII, which every database keeps as it is: no zero byte. Halves of letters, which names of files
    may have and no answer of a server can, become question marks."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        whole = json.loads(text.encode("utf-8", "replace"))
        return json.dumps(whole, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise TableError(f"This cannot be kept in the table of jobs: {error}.") from error


def uploads_json(uploads: Sequence[Upload]) -> str:
    return json_of(UPLOADS.dump_python(tuple(uploads), mode="json"))


def report_json(report: Report) -> str:
    return json_of(REPORT.dump_python(report, mode="json"))


def read_uploads(text: str) -> tuple[Upload, ...]:
    return _read(UPLOADS, text)


def read_report(text: str) -> Report:
    return _read(REPORT, text)


def read_mapping(text: str) -> Mapping[str, Any]:
    """Settings, or an event."""
    try:
        value = parsed(text)
    except ValueError as error:
        raise TableError("The table of jobs holds something that is no JSON.") from error
    if not isinstance(value, dict):
        raise TableError("The table of jobs holds something else than it should.")
    return value


def _read(adapter: TypeAdapter[T], text: str) -> T:
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        raise TableError("The table of jobs holds something else than it should.") from error
