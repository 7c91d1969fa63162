"""Imports every hostile model file, one after the other, and says what came of each: a line of JSON."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hostile.model_files import HOSTILE

from tronie.errors import TronieError
from tronie.importers import import_file

MOST = 6_000_000_000
"""Bytes of addresses: whatever goes wrong, the machine is to survive."""


def peak() -> int:
    """Bytes of memory that the process had at most since `forget`."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def forget() -> int:
    """Start anew; the bytes of memory that the process has."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def main(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    os.environ["TRONIE_HOME"] = str(folder / "home")
    chosen = sys.argv[2:]
    for name, (kind, write) in HOSTILE.items():
        if chosen and name not in chosen:
            continue
        place = folder / "files"
        place.mkdir()
        file = write(place)
        before, began = forget(), time.process_time()
        error, said = "none", ""
        try:
            import_file(kind, file)
        except TronieError as found:
            error, said = "TronieError", str(found)
        except BaseException as found:
            error, said = type(found).__name__, str(found)
        result = {"name": name, "error": error, "said": said, "bytes": peak() - before}
        print(json.dumps(result | {"seconds": round(time.process_time() - began, 3)}), flush=True)
        shutil.rmtree(place)
        shutil.rmtree(folder / "home", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
