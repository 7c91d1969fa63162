"""Ctrl-C: the first lets what is in hand be finished, the second does not."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import ModuleType

import pytest

from tronie import cli
from tronie.cli.interrupt import interrupting
from tronie.runtime.job import Event, Job, Note


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_the_first_interrupt_drains_and_the_second_cancels() -> None:
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored where the tests run
    told: list[tuple[Event, bool]] = []
    before = signal.getsignal(signal.SIGINT)
    job = Job(lambda event: told.append((event, threading.current_thread() is threading.main_thread())))
    with interrupting(job, "Stopping.") as interrupted:
        assert not job.draining
        os.kill(os.getpid(), signal.SIGINT)
        assert job.draining
        assert not job.cancelled
        assert interrupted.signal == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert job.cancelled
    assert interrupted.code == 130
    assert told == [(Note("Stopping."), False)]  # this thread may be telling something itself when a signal comes
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, inherited)


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    seen: list[bool] = []

    def body() -> None:
        with interrupting(Job(), "Stopping.") as interrupted:
            seen.append(interrupted.signal != 0)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [False]


def test_an_interrupt_while_the_program_loads_is_one_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Loading(ModuleType):
        @property
        def app(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "tronie.cli.app", Loading("tronie.cli.app"))
    assert cli.execute(["run", "x.jpg"]) == 130
    assert capsys.readouterr().err == "Stopped.\n"
