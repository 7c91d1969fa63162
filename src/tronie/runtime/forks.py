"""Processes that were forked off one whose libraries had begun threads: the threads stay behind, with all locks that
they held, and whoever waits for them there waits for ever."""

from __future__ import annotations

import os

from tronie.errors import TronieError

SENTENCE = (
    "This process was forked from one in which tronie had begun to work, whose threads it does not have; "
    'begin it by spawn or forkserver: multiprocessing.get_context("spawn").'
)

_begun = _left_behind = False


def about_to_work() -> None:
    """To be called before threads of nets, decoders and kernels may begin. Raises TronieError where they would be
    waited for in vain."""
    global _begun
    if _left_behind:
        raise TronieError(SENTENCE)
    _begun = True


def _forked() -> None:
    global _left_behind
    _left_behind = _begun


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
