"""Logs: silent unless asked, tracebacks in a file and nowhere else."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from odd_worker import Odd

from tronie.errors import InputError, sentence
from tronie.runtime import logs
from tronie.runtime.processes import run_in_processes

log = logs.logger("tronie.tests")


@pytest.fixture(autouse=True)
def untouched(monkeypatch):
    monkeypatch.delenv(logs.VARIABLE, raising=False)
    top = logging.getLogger("tronie")
    handlers, level = list(top.handlers), top.level
    yield
    for handler in set(top.handlers) - set(handlers):
        handler.close()
    top.handlers[:], top.level = handlers, level
    top.manager._clear_cache()


def test_tracebacks_go_into_the_file_that_was_asked_for(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(logs.VARIABLE, str(tmp_path / "why.log"))
    logs.start()
    assert not (tmp_path / "why.log").exists()
    try:
        raise KeyError("where")
    except KeyError:
        log.exception("a step failed")
    text = (tmp_path / "why.log").read_text()
    assert "tronie.tests: a step failed" in text
    assert "Traceback" in text
    assert "KeyError" in text


def test_one_word_means_a_file_in_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for value, file in (("", None), ("0", None), ("1", Path(logs.FILE))):
        monkeypatch.setenv(logs.VARIABLE, value)
        assert logs.debug_file() == file
        assert logs.debugging() == (file is not None)
    logs.start()
    assert logs.debug_file() == tmp_path / logs.FILE  # for processes that work in another folder


def test_lines_are_told_without_tracebacks() -> None:
    told: list[str] = []
    logs.start(told.append)
    log.debug("nothing of this")
    log.info("loaded %s", "a net")
    try:
        raise ValueError("inside")
    except ValueError:
        log.exception("a step failed")
    assert told == ["tronie.tests: loaded a net", "tronie.tests: a step failed"]


def test_what_worker_processes_log_is_heard_where_the_work_was_begun(tmp_path: Path, monkeypatch, caplog) -> None:
    told: list[str] = []
    file = tmp_path / "why.log"
    monkeypatch.setenv(logs.VARIABLE, str(file))
    logs.start(told.append)
    assert dict(run_in_processes(Odd(), ["talkative", "wrong"], 1))
    assert told == ["tronie.tests: at talkative", "tronie.tests: a step failed"]
    assert "KeyError" in caplog.text  # for programs that listen by `logging`
    text = file.read_text()
    assert text.count("at talkative") == text.count("a step failed") == 1  # the worker itself has written it
    assert "nothing of this" in text


def test_worker_processes_say_nothing_to_who_does_not_listen(monkeypatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.start()
    assert logs.heard() is None
    monkeypatch.setenv(logs.VARIABLE, "1")
    logs.start()
    assert logs.heard() is None
    logs.start([].append)
    assert logs.heard() == logging.INFO


def test_a_program_that_does_not_listen_hears_nothing() -> None:
    code = "from tronie.runtime.logs import logger; logger('tronie.any').error('not for you')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    "error", [ValueError("odd\nnumbers"), KeyError("x"), RuntimeError(), ZeroDivisionError("division by zero")]
)
def test_a_mistake_of_ours_is_one_sentence_without_its_class(error: Exception) -> None:
    said = sentence(error)
    assert type(error).__name__ not in said
    assert len(said.splitlines()) == 1
    assert said.endswith(".")


def test_what_is_said_on_purpose_stays_as_it_is() -> None:
    assert sentence(InputError("a.jpg is empty.")) == "a.jpg is empty."
    assert sentence(MemoryError()) == "There is not enough memory for it."
    assert sentence(PermissionError(13, "Permission denied", "out")) == "Permission denied: out."
