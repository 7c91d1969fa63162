"""A service without models: a fake look at files, and a worker that finishes jobs with a tiny result at once."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from tronie.service.config import ServiceConfig
from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.service.stored import Claim, FaceReport, PhotoReport, Report, ResultFile, Upload, UploadRefused
from tronie.service.uploads import shown_name
from tronie.web.app import create_app

HOME = "http://127.0.0.1:8765"
FILES = {
    "party/face-1/head.glb": b"glTF" + bytes(range(256)) * 8,
    "party/face-1/head.obj": b"mtllib head.mtl\n" * 20,
    "party/face-1/head.mtl": b"newmtl head\nmap_Kd texture.png\n",
    "party/face-1/texture.png": b"\x89PNG" + b"t" * 700,
    "party/face-2/head.glb": b"glTF2" * 40,
    "party/sheet.jpg": b"\xff\xd8sheet",
    "party/page.html": b"<script>alert(1)</script>",
}
RETENTION = 600.0


class FakeInspector:
    """Takes what begins with "photo"."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def look(self, path: Path, name: str, number: int, preview: Path) -> Upload:
        data, name = path.read_bytes(), shown_name(name)
        self.seen.append((path.name, name))
        if not data.startswith(b"photo"):
            raise UploadRefused(
                "too_large" if data.startswith(b"bomb") else "unreadable" if data else "unknown_type",
                f"{name} cannot be read.",
            )
        preview.write_bytes(b"\xff\xd8preview")
        file = f"{number:03d}{Path(name).suffix.lower()}"
        return Upload(name, file, "photo", len(data), hashlib.sha256(data).hexdigest(), 640, 480)


def report(photo: str = "party") -> Report:
    faces = tuple(
        FaceReport(
            index,
            (10.0, 20.0, 110.0, 140.0),
            0.9,
            files={name.rpartition("/")[2]: name for name in FILES if name.startswith(f"{photo}/face-{index}/")},
        )
        for index in (1, 2)
    )
    files = {"sheet.jpg": f"{photo}/sheet.jpg", "page.html": f"{photo}/page.html"}
    one = PhotoReport(0, "ok", seconds=1.5, width=640, height=480, faces=faces, files=files)
    sums = tuple(ResultFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items())
    return Report((one,), sums)


@dataclass
class Stage:
    """A service of a test, and its hands on it."""

    config: ServiceConfig
    table: JobTable
    storage: Storage
    inspector: FakeInspector
    client: TestClient
    claims: dict[str, Claim] = field(default_factory=dict)

    def send(self, data: bytes = b"photo one", name: str = "party.jpg", **more: Any) -> Any:
        return self.client.post("/v1/jobs", files={"files": (name, data)}, **more)

    def begin(self) -> Claim:
        claim = self.table.claim("test", 30, 2)
        assert claim is not None
        return claim

    def finish(self, claim: Claim) -> None:
        folder = self.storage.attempt(claim.job.id, claim.token)
        for name, data in FILES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert self.table.finish(claim, "done", report=report(), retention=RETENTION)

    def done(self, **more: Any) -> dict[str, Any]:
        """The record of a job that is done."""
        answer = self.send(**more)
        assert answer.status_code == 201, answer.text
        self.finish(self.begin())
        record: dict[str, Any] = self.client.get(answer.json()["links"]["self"]).json()
        assert record["state"] == "done"
        return record

    def left(self) -> list[Path]:
        """What lies on the disk of jobs and uploads."""
        return [path for place in ("jobs", "spool", "trash") for path in (self.config.data / place).rglob("*")]

    def ready(self) -> None:
        self.table.seen("test", ready=True, busy=False, version="1")


@contextmanager
def stage(folder: Path, looks: Any = None, **config: Any) -> Iterator[Stage]:
    """`looks`: makes what looks at files, of the configuration."""
    settings = ServiceConfig(data=folder / "data", **config)
    storage = Storage(settings.data)
    table = JobTable.open(settings.database_url)
    inspector = FakeInspector()
    app = create_app(settings, table, storage, looks(settings) if looks else inspector)
    with TestClient(app, base_url=HOME, client=("127.0.0.1", 50000)) as client:
        yield Stage(settings, table, storage, inspector, client)
    table.close()


@contextmanager
def worker(here: Stage, seconds: float = 0.0) -> Iterator[None]:
    """Does whatever comes."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            here.ready()
            claim = here.table.claim("test", 30, 2)
            if claim is None:
                time.sleep(0.02)
                continue
            here.table.tell(claim, [{"event": "stage_began", "stage": "fit", "total": 2, "done": 0, "upload": 0}])
            time.sleep(seconds)
            here.table.tell(claim, [{"event": "stage_ended", "stage": "fit", "seconds": seconds, "upload": 0}])
            here.finish(claim)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
