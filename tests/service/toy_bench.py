"""A bench that makes no heads: what it does with an upload is said by the upload's name."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tronie.pipelines.outcome import Outcome
from tronie.runtime.child_process import Limit
from tronie.runtime.job import Event, Job, StageBegan
from tronie.runtime.warm_process import WarmProcess
from tronie.service.workbench import Order

STUCK = 0.5


@dataclass(frozen=True)
class Toy:
    def __call__(self, job: Job) -> Callable[[Order], Outcome]:
        def work(order: Order) -> Outcome:
            task, content = order.task, (order.inputs / order.task.source).read_text()
            if content == "bad":
                return Outcome(task.source, task.folder, "error", reason=f"{task.folder}: {task.source} is odd.")
            part = job.part(task.source)
            (task.folder / "face-1").mkdir(parents=True)
            with part.stage("fit", total=1000) as stage:
                for _ in range(1000):
                    stage.advance()
            if content == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            if content == "slow":
                with part.stage("follow") as stage:
                    for _ in range(250):
                        stage.advance()
                        time.sleep(0.02)
            if content == "stuck":
                with part.stage("stuck"):
                    time.sleep(60)
            write(task.folder, task.name)
            return Outcome(task.source, task.folder, "ok", faces=1, notes=("a note",))

        return work


def write(folder: Path, name: str) -> None:
    face = {"index": 1, "box": [1, 2, 30, 40], "score": 0.5, "warnings": ["turned far away"], "photo": {"name": name}}
    (folder / "face-1" / "head.glb").write_bytes(b"glTF" + bytes(5000))
    (folder / "face-1" / "face.json").write_text(json.dumps(face))
    (folder / "sheet.jpg").write_bytes(b"sheet")


def limit(event: Event) -> Limit | None:
    return Limit(STUCK if event.stage == "stuck" else 30, None, "a step") if isinstance(event, StageBegan) else None


def toy_process() -> WarmProcess[Order, Outcome]:
    return WarmProcess(Toy(), limit=limit)
