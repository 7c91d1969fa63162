"""The benchmark of portraits: its readers of LFW and CFP-FP, and verification accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.turned import pairs
from benchmarks.turned.judge import Judged, table


def test_pairs_of_lfw(tmp_path: Path) -> None:
    lines = ["2\t1", "Ann\t1\t2", "Ann\t1\tBob\t3", "Bob\t3\t4", "Bob\t4\tAnn\t2"]
    (tmp_path / "pairs.txt").write_text("\n".join(lines) + "\n")
    found = pairs.lfw(tmp_path)
    assert [p.same for p in found] == [True, False, True, False]
    assert [p.fold for p in found] == [0, 0, 1, 1]
    assert found[1].other == tmp_path / "Bob" / "Bob_0003.jpg"
    with pytest.raises(FileNotFoundError, match=r"pairs\.txt"):
        pairs.lfw(tmp_path / "elsewhere" / "deeper")


def test_pairs_of_cfp(tmp_path: Path) -> None:
    protocol = tmp_path / "Protocol"
    for kind, place in (("F", "frontal"), ("P", "profile")):
        rows = [f"{n} ../Data/Images/{n:03d}/{place}/01.jpg" for n in (1, 2)]
        protocol.mkdir(exist_ok=True)
        (protocol / f"Pair_list_{kind}.txt").write_text("\n".join(rows))
    for fold in ("01", "02"):
        split = protocol / "Split" / "FP" / fold
        split.mkdir(parents=True)
        (split / "same.txt").write_text("1,1\n")
        (split / "diff.txt").write_text("1,2\n2,1\n")
    found = pairs.cfp_fp(tmp_path)
    assert len(found) == 6
    assert sum(p.same for p in found) == 2
    assert found[1].one == (tmp_path / "Data/Images/001/frontal/01.jpg").resolve()
    assert found[1].other == (tmp_path / "Data/Images/002/profile/01.jpg").resolve()


def test_accuracy_takes_its_threshold_from_the_other_folds() -> None:
    rng = np.random.default_rng(0)
    same = np.arange(200) % 2 == 0
    fold = np.arange(200) // 20
    apart = np.where(same, 0.3, 0.9) + rng.normal(0, 0.02, 200)
    assert pairs.accuracy(apart, same, fold) == (1.0, 0.0)
    mean, _ = pairs.accuracy(rng.normal(size=200), same, fold)
    assert 0.35 < mean < 0.65
    # A fold of another scale is judged by the others' threshold.
    apart[fold == 9] += 1
    assert pairs.accuracy(apart, same, fold)[0] == pytest.approx(0.95)


def test_the_table_means_by_yaw() -> None:
    rows = [
        Judged("a", -20, (1, 2, 0), {"turned": 0.2}, (0.8, 0.2, 0)),
        Judged("b", 25, (5, 0, 0), {"turned": 0.4}, (1, 0, 0)),
    ]
    text = table(rows)
    assert "| 15 to 30 | 2 | 0.300 | 50 % | +1.0" in text
    assert "60 to 90" not in text
