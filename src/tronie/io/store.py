"""Files in an object store: `s3://bucket/photos`, `gs://`, or whatever else fsspec reaches by an address.

Names in a store are made by others and may be anything (`../`, control characters, a thousand of them). They are told
to the store as they are, and never become the path of a local file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from tronie.errors import InputError, TronieError

EXTRA = "needs pip install 'tronie[cloud]'"
"""What brings s3:// and gs://; others have packages of their own."""
OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}},
    "file": {"auto_mkdir": True},
}
"""By protocol. All else, credentials and endpoints above all, is taken from the environment by the library."""
CLAUSES = {
    "NoCredentialsError": "there are no credentials in the environment",
    "PartialCredentialsError": "the credentials in the environment are not complete",
    "EndpointConnectionError": "nobody answers there",
    "ConnectTimeoutError": "nobody answers there",
    "ReadTimeoutError": "it stopped answering",
    "ClientConnectorError": "nobody answers there",
    "ConnectionClosedError": "it stopped answering",
    "DefaultCredentialsError": "there are no credentials in the environment",
    "RefreshError": "the credentials in the environment are not taken",
    "FileNotFoundError": "there is no such bucket or object",
    "NotADirectoryError": "there is no such bucket or object",
    "PermissionError": "access is denied to who the credentials in the environment are for",
    "ParamValidationError": "it is not a valid name there",
}
"""Name of an exception -> why, as a clause: they are of libraries that need not be installed."""
MODIFIED = ("LastModified", "updated", "last_modified", "mtime", "modified", "created")
TAGS = ("ETag", "etag", "md5Hash", "crc32c")


class Version(NamedTuple):
    """What tells one version of an object from another."""

    size: int
    """Bytes."""
    modified: int | None
    """Time of change (ns)."""
    content: str | None
    """What the store says of its content; None where it says nothing."""


class Item(NamedTuple):
    """What lies in a store."""

    name: str
    """Below the place that was listed, with `/`."""
    version: Version | None
    """None of a folder."""


@dataclass(frozen=True, slots=True)
class Store:
    """A place in a store, which may have others below it."""

    fs: Any
    """fsspec's file system."""
    root: str
    """The place as that calls it."""

    @classmethod
    def at(cls, url: str) -> Store:
        """Raises InputError where there is nothing to reach it with; the store itself is not asked."""
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise InputError(f"{url} {EXTRA}.") from None
        protocol = {"s3a": "s3", "local": "file"}.get(known := url.partition("://")[0].lower(), known)
        try:
            fs, root = url_to_fs(url, use_listings_cache=False, **OPTIONS.get(protocol, {}))
        except ImportError as error:
            why = EXTRA if protocol in ("s3", "gs", "gcs") else f"needs another package ({str(error).rstrip('.')})"
            raise InputError(f"{url} {why}.") from None
        except (ValueError, TypeError):
            raise InputError(f"{url} is no address of a store that is known.") from None
        return cls(fs, root.rstrip("/"))

    @property
    def url(self) -> str:
        return str(self.fs.unstrip_protocol(self.root))

    def below(self, name: str) -> str:
        """The address of what has this name here."""
        return f"{self.url}/{name}"

    def version(self, name: str = "") -> Version | None:
        """Of an object; None of what is a folder or nothing. Raises InputError."""
        try:
            with asked(self.below(name) if name else self.url):
                found = self.fs.info(self._path(name))
        except Missing:
            return None
        return version_of(found) if found.get("type") == "file" else None

    def must_be_there(self) -> None:
        """Raise InputError where there is neither an object, nor something below, nor a bucket of that name."""
        with asked(self.url):
            self.fs.info(self.root)

    def items(self, name: str = "", *, deep: bool = True) -> Iterator[Item]:
        """What lies below, as it comes from the store; without `deep` folders stand for what is in them. Of nothing
        there is nothing. Raises InputError."""
        top = self._path(name)
        try:
            with asked(self.url):
                for path, version in self._listed(top, deep):
                    rest = path[len(top) :].lstrip("/") if top else path
                    if rest and not rest.endswith("/") and "\0" not in rest:
                        yield Item(rest, version)
        except Missing:
            return

    def _listed(self, top: str, deep: bool) -> Iterator[tuple[str, Version | None]]:
        if hasattr(self.fs, "call_s3"):
            yield from self._pages(top, deep)
        elif deep:
            for _, _, files in self.fs.walk(top, detail=True, on_error="raise"):
                for one in files.values():
                    yield one["name"], version_of(one)
        else:
            for one in self.fs.ls(top, detail=True):
                yield one["name"].rstrip("/"), version_of(one) if one["type"] == "file" else None

    def _pages(self, top: str, deep: bool) -> Iterator[tuple[str, Version | None]]:
        """The same of S3, of whose lists a page at a time is held."""
        bucket, _, key = top.partition("/")
        asking = {"Bucket": bucket, "Prefix": f"{key}/" if key else ""} | ({} if deep else {"Delimiter": "/"})
        while True:
            page = self.fs.call_s3("list_objects_v2", **asking)
            for one in page.get("Contents", ()):
                yield f"{bucket}/{one['Key']}", version_of(one)
            for one in page.get("CommonPrefixes", ()):
                yield f"{bucket}/{one['Prefix'].removesuffix('/')}", None
            if not page.get("IsTruncated"):
                return
            asking["ContinuationToken"] = page["NextContinuationToken"]

    def read(self, name: str) -> bytes | None:
        """A small object; None where it is not there. Raises InputError."""
        try:
            with asked(self.below(name)):
                return bytes(self.fs.cat_file(self._path(name)))
        except Missing:
            return None

    def fetch(self, name: str, path: Path) -> None:
        """Bring an object into a local file. Raises InputError."""
        with asked(self.below(name) if name else self.url):
            self.fs.get_file(self._path(name), str(path))

    def put(self, name: str, data: bytes) -> None:
        """Write a small object in one step. Raises InputError."""
        with asked(self.below(name)):
            self.fs.pipe_file(self._path(name), data)

    def put_new(self, name: str, data: bytes) -> bool:
        """The same where nothing is there yet, decided by the store: of several who try one succeeds."""
        try:
            with asked(self.below(name)):
                self.fs.pipe_file(self._path(name), data, mode="create")
        except Taken:
            return False
        return True

    def put_files(self, files: Mapping[str, Path]) -> None:
        """Write local files, several at a time; each is there wholly or not at all. Raises InputError."""
        if files:
            with asked(self.url):
                self.fs.put([str(path) for path in files.values()], [self._path(name) for name in files])

    def remove(self, names: Iterable[str]) -> None:
        """Take objects away; what is not there is no matter. Raises InputError."""
        for name in names:
            try:
                with asked(self.below(name)):
                    self.fs.rm_file(self._path(name))
            except Missing:
                continue

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if name else self.root


class Missing(InputError):
    """There is nothing of that name in a store."""


class Taken(InputError):
    """There is something of that name in a store."""


@contextmanager
def asked(url: str) -> Iterator[None]:
    """Whatever goes wrong while a store is asked becomes an InputError of one sentence."""
    try:
        yield
    except TronieError:
        raise
    except Exception as error:  # of many libraries
        raise _explained(url, error) from error


def _explained(url: str, error: Exception) -> InputError:
    names = [kind.__name__ for kind in type(error).__mro__]
    text = " ".join(str(error).split())
    if "FileExistsError" in names or "PreconditionFailed" in text or "ConditionalRequestConflict" in text:
        return Taken(f"Cannot write {url}: it is there already.")
    clause = next((CLAUSES[name] for name in names if name in CLAUSES), text[:200].rstrip(".") or names[0])
    kind = Missing if clause == CLAUSES["FileNotFoundError"] else InputError
    return kind(f"Cannot reach {url}: {clause}.")


def version_of(found: Mapping[str, Any]) -> Version:
    """What a store says of an object, each in words of its own."""
    size = found.get("Size", found.get("size"))
    tag = next((str(found[key]).strip('"') for key in TAGS if found.get(key)), None)
    modified = next((_nanoseconds(found[key]) for key in MODIFIED if found.get(key)), None)
    return Version(int(size or 0), modified, None if tag is None else f"etag:{tag}")


def _nanoseconds(time: Any) -> int | None:
    try:
        if isinstance(time, str):
            time = datetime.fromisoformat(time)
        if isinstance(time, datetime):
            time = time.replace(tzinfo=time.tzinfo or UTC).timestamp()
        return round(float(time) * 1000) * 1_000_000
    except (TypeError, ValueError, OverflowError):
        return None
