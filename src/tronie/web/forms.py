"""Forms with files: received part by part straight to disk, within limits; see RFC 7578.

Nothing of it is ever whole in memory, and no name from a client is a path: files are called 001, 002, ... here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tronie.web.refusals import Refused

FIELDS = 8
"""Parts that are no files."""
FIELD_MOST = 262_144
"""Bytes of one."""
HEADERS, HEADER_MOST = 8, 4096
"""Of a part: how many, and bytes of one."""
AT_ONCE = 1 << 20
"""Bytes that are gathered before they are written."""


@dataclass(slots=True)
class Part:
    """One part while it comes."""

    name: str = ""
    filename: str | None = None
    disposition: bytes = b""
    data: bytearray = field(default_factory=bytearray)
    """What is not written yet; of a field, all of it."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that was sent."""

    name: str
    """As its sender calls it."""
    path: Path


@dataclass(slots=True)
class Form:
    """What was sent."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[SentFile] = field(default_factory=list)


class _Gatherer:
    """What the parser calls; `work` is what is to be written then, in order."""

    def __init__(self, folder: Path, most_files: int, file_field: str) -> None:
        self.folder, self.most_files, self.file_field = folder, most_files, file_field
        self.form = Form()
        self.part = Part()
        self.work: list[tuple[Path, bytes | None]] = []
        """Data for a file; None: that was all of it."""
        self.ended = False
        self._header = bytearray()
        self._value = bytearray()

    def on_part_begin(self) -> None:
        self.part = Part()

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self.part.disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def on_headers_finished(self) -> None:
        name, filename = _disposition(self.part.disposition)
        if name is None:
            raise Refused(400, "A part of the form has no name.")
        self.part.name, self.part.filename = name, filename
        if filename is None:
            if len(self.form.fields) >= FIELDS:
                raise Refused(413, "The form has too many fields.")
            if name in self.form.fields:
                raise Refused(422, f"The form has the field {name[:40]} twice.")
            return
        if name != self.file_field:
            raise Refused(422, f"Files belong into the field {self.file_field}.")
        if len(self.form.files) >= self.most_files:
            raise Refused(413, f"One job takes at most {self.most_files} files.")
        path = self.folder / f"{len(self.form.files) + 1:03d}"
        self.form.files.append(SentFile(filename, path))

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        part = self.part
        part.data += data[start:end]
        if part.filename is None:
            if len(part.data) > FIELD_MOST:
                raise Refused(413, f"The field {part.name[:40]!a} is too long.")
        elif len(part.data) >= AT_ONCE:
            self._hand_over()

    def on_part_end(self) -> None:
        if self.part.filename is None:
            try:
                self.form.fields[self.part.name] = self.part.data.decode()
            except UnicodeDecodeError:
                raise Refused(422, f"The field {self.part.name[:40]!a} is no UTF-8 text.") from None
        else:
            self._hand_over()
            self.work.append((self.form.files[-1].path, None))

    def on_end(self) -> None:
        self.ended = True

    def _hand_over(self) -> None:
        self.work.append((self.form.files[-1].path, bytes(self.part.data)))
        self.part.data.clear()


async def receive(
    content_type: str, stream: AsyncIterator[bytes], folder: Path, *, most_files: int, file_field: str = "files"
) -> Form:
    """The form of a request; its files lie in `folder`. Raises Refused."""
    boundary = _boundary(content_type)
    gatherer = _Gatherer(folder, most_files, file_field)
    names = (
        "on_part_begin",
        "on_header_field",
        "on_header_value",
        "on_header_end",
        "on_headers_finished",
        "on_part_data",
        "on_part_end",
        "on_end",
    )
    parser = MultipartParser(
        boundary,
        {name: getattr(gatherer, name) for name in names},  # type: ignore[arg-type]
        max_header_count=HEADERS,
        max_header_size=HEADER_MOST,
    )
    writer = _Writer()
    try:
        async for chunk in stream:
            parser.write(chunk)
            if gatherer.work:
                await asyncio.to_thread(writer.write, gatherer.work)
                gatherer.work.clear()
    except FormParserError:
        raise Refused(400, "The form cannot be read.") from None
    finally:
        writer.close()
    if not gatherer.ended:
        raise Refused(400, "The form is not complete.")
    return gatherer.form


class _Writer:
    """Writes files one after the other."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def write(self, work: list[tuple[Path, bytes | None]]) -> None:
        for path, data in work:
            if path != self._path or self._file is None:
                self.close()
                self._path, self._file = path, path.open("xb")
            if data is None:
                self.close()
            else:
                self._file.write(data)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if kind != b"multipart/form-data":
        raise Refused(415, "The request must be a form: multipart/form-data.")
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 200:
        raise Refused(400, "The form has no boundary.")
    return boundary


def _disposition(value: bytes) -> tuple[str | None, str | None]:
    """The name of a part, and of its file."""
    kind, options = parse_options_header(value)
    name = options.get(b"name")
    if kind != b"form-data" or not name:
        return None, None
    filename = options.get(b"filename")
    return _text(name), None if filename is None else _text(filename)


def _text(value: bytes) -> str:
    # Browsers write names as UTF-8, with these three for what would end the line.
    text = value.decode("utf-8", "replace")
    return text.replace("%22", '"').replace("%0D", " ").replace("%0A", " ")
