"""Jobs of the table as the records that are answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from tronie.service.stored import PhotoReport, StoredJob
from tronie.web.records import FaceRecord, JobRecord, LinksRecord, PhotoRecord, UploadRecord


def job_record(job: StoredJob) -> JobRecord:
    base = f"/v1/jobs/{job.id}"
    report = job.report
    return JobRecord(
        id=job.id,
        state=job.state,
        place=job.place,
        created=_time(job.created),
        started=None if job.started is None else _time(job.started),
        ended=None if job.ended is None else _time(job.ended),
        expires=None if job.expires is None else _time(job.expires),
        reason=job.reason,
        settings=dict(job.settings),
        parent=job.parent,
        uploads=[
            UploadRecord(
                name=upload.name,
                kind=upload.kind,
                bytes=upload.bytes,
                width=upload.width,
                height=upload.height,
                seconds=upload.seconds,
                preview=f"{base}/uploads/{number}/preview.jpg",
            )
            for number, upload in enumerate(job.uploads)
        ],
        photos=[] if report is None else [_photo(base, photo) for photo in report.photos],
        bytes=0 if report is None else report.bytes,
        links=LinksRecord(self=base, events=f"{base}/events", archive=f"{base}/archive"),
    )


def _photo(base: str, photo: PhotoReport) -> PhotoRecord:
    return PhotoRecord(
        upload=photo.upload,
        status=photo.status,
        reason=photo.reason,
        notes=list(photo.notes),
        seconds=photo.seconds,
        width=photo.width,
        height=photo.height,
        faces=[
            FaceRecord(
                index=face.index,
                box=face.box,
                score=face.score,
                error=face.error,
                warnings=list(face.warnings),
                files=_urls(base, face.files),
            )
            for face in photo.faces
        ],
        files=_urls(base, photo.files),
    )


def _urls(base: str, files: Mapping[str, str]) -> dict[str, str]:
    return {label: f"{base}/files/{quote(name)}" for label, name in files.items()}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), UTC)
