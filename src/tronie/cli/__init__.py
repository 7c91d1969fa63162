"""The command line. This module stays light: `tronie --version` answers before anything heavy is imported."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Sequence

LOOK_ONLY = {"-h", "--help", "-n", "--dry-run", "--cluster", "--camera"}
"""Options of `run` with which no photo is worked on in a process of ours."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    # The fit's matrices are small: sharing them out between threads only costs. On two busy cores a fit took 0.5 s
    # with two BLAS threads and 0.015 s with one. It counts only if it is set before numpy is imported.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")
    # FFmpeg's own messages about damaged videos would stand among ours, which say the same in a sentence.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if _one_photo(given):
        from tronie.jobs.early import load
        from tronie.runtime.child_process import begin_early

        begin_early(load)  # it loads what it needs while we find out what there is to do
    sys.exit(execute(given))


def _one_photo(arguments: list[str]) -> bool:
    """Whether these look like work on a single file: then there will be one process for it, which may use all cores."""
    if arguments[:1] != ["run"] or not LOOK_ONLY.isdisjoint(arguments):
        return False
    return sum(os.path.isfile(one) for one in arguments[1:]) == 1 and "--debug" not in arguments


def execute(arguments: list[str]) -> int:
    """Run the command line; the exit code: 0 fine, 1 nothing worked, 2 wrong usage, 130 stopped by Ctrl-C."""
    if arguments in (["--version"], ["-V"]):
        from tronie.cli.say import say
        from tronie.version import __version__

        say(f"tronie {__version__}")
        return 0
    if "--debug" in arguments:
        arguments.remove("--debug")
        os.environ.setdefault("TRONIE_DEBUG", "1")  # worker processes inherit it

    from tronie.cli.say import mend_streams, plain, say

    mend_streams()
    # What a shell made of `*` may look like an option, and is told of in an error.
    arguments = [plain(one) if one.startswith("-") else one for one in arguments]
    # A file name that the terminal cannot show must not end a job.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")

    from tronie.errors import Cancelled, sentence
    from tronie.runtime import crash_report, logs

    loud = any(one in ("-v", "--verbose") for one in arguments)
    began = time.time()
    crash_report.about(command=crash_report.options_of(arguments))
    logs.start((lambda line: say(line, problem=True)) if loud else None)

    try:
        from tronie.cli.app import app  # takes a moment, in which Ctrl-C may be pressed

        app(args=arguments, prog_name="tronie")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    except (KeyboardInterrupt, Cancelled):
        say("Stopped.", problem=True)
        return 130
    except Exception as error:
        logs.logger(__name__).exception("the command failed")
        say(f"tronie: {sentence(error)}", problem=True)
        return 1
    finally:
        for report in crash_report.since(began)[:1]:
            say(f"A report of it, with no picture in it, is in {report}; nothing was sent.", problem=True)
        if (file := logs.debug_file()) is not None and file.is_file():
            say(f"What went on inside is written down in {file}.", problem=True)
    return 0
