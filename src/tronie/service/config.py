"""What a service may take and keep: given on the command line of `tronie serve` or in the environment."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tronie.settings import DeviceName

MEGA = 1_000_000


class ServiceConfig(BaseModel):
    """Frozen; servers and workers that share a database should be given the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(description="Folder of uploads and results; machines that share a database share it too.")
    database: str | None = Field(
        None, description="URL of a PostgreSQL database; default: SQLite, in a file of the data folder."
    )
    host: str = Field("127.0.0.1", description="Address to listen on; others than loopback want a token.")
    port: int = Field(8765, ge=0, le=65535, description="Port to listen on; 0 takes one that is free.")
    names: tuple[str, ...] = Field((), description="Host names by which browsers may come, beside the address itself.")
    tokens: tuple[str, ...] = Field((), description="Bearer tokens, one of which every request must bear; none: open.")
    device: DeviceName = Field("auto", description="Where nets run, whatever clients ask for.")
    workers: int = Field(1, ge=0, le=64, description="Worker processes beside the server; 0: others do the work.")

    retention: float = Field(24 * 3600, gt=0, description="Seconds for which a finished job is kept.")
    quota: int = Field(10_000 * MEGA, gt=0, description="Bytes that all jobs together may take on disk.")
    lease: float = Field(30, gt=0, description="Seconds after which a worker that is not heard of has lost its job.")
    attempts: int = Field(2, ge=1, description="How often a job is begun that a worker's end interrupted.")

    max_bytes: int = Field(300 * MEGA, gt=0, description="Of one request, bytes.")
    max_files: int = Field(20, ge=1, description="Of one job.")
    max_megapixels: float = Field(120, gt=0, description="Of one photo or frame.")
    max_seconds: float = Field(180, gt=0, description="Of one clip.")
    max_waiting: int = Field(200, ge=1, description="Jobs in the queue, of everybody.")
    max_waiting_each: int = Field(50, ge=1, description="Jobs in the queue, of one client.")
    requests_per_minute: int = Field(600, ge=1, description="Of one client.")
    uploads_per_minute: int = Field(60, ge=1, description="Of one client.")
    file_seconds: float = Field(120, gt=0, description="For a photo, a quarter more a face; for a frame of a clip.")
    file_memory: float = Field(2, gt=0, description="For reading a file, gigabytes; more for later steps.")

    @property
    def database_url(self) -> str:
        """As SQLAlchemy wants it."""
        if self.database is None:
            return f"sqlite:///{self.data / 'tronie.sqlite3'}"
        for plain in ("postgresql://", "postgres://"):
            if self.database.startswith(plain):
                return "postgresql+psycopg://" + self.database.removeprefix(plain)
        return self.database
