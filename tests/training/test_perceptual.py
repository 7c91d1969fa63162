"""Laws of LPIPS with made-up weights: a distance, gradients everywhere, and files that may not run programs."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AlexNet's shapes with random numbers: the net unpacked, what its channels count in a wheel."""
    from training.superres.lpips import STAGES

    home = tmp_path_factory.mktemp("lpips")
    rng = np.random.default_rng(0)
    layers = [layer for stage in STAGES["alex"] for layer in stage]
    net = {
        f"Conv_{k}": {
            "kernel": (rng.normal(size=(side, side, i, o)) * (2 / (i * side**2)) ** 0.5).astype(np.float32),
            "bias": rng.normal(size=o).astype(np.float32) / 10,
        }
        for k, (i, o, side, _, _) in enumerate(layers)
    }
    (home / "deep").mkdir()
    (home / "deep" / "alexnet.ckpt").write_bytes(pickle.dumps({"AlexNet_0": net, "NetLinLayer_0": {}}, protocol=3))
    state = {f"lin{k}.model.1.weight": torch.rand(1, stage[-1][1], 1, 1) for k, stage in enumerate(STAGES["alex"])}
    torch.save(state, home / "alex.pth")
    with zipfile.ZipFile(home / "lpips-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.write(home / "alex.pth", "lpips/weights/v0.1/alex.pth")
    return home


@pytest.fixture(scope="module")
def lpips(folder: Path) -> Any:
    from training.superres.lpips import Lpips

    return Lpips("alex", folder)


def pictures(*shape: int) -> Any:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_distance(lpips: Any) -> None:
    a = pictures(3, 3, 96, 64)
    b = (a + 0.3 * pictures(3, 3, 96, 64).roll(5, 3)).clamp(-1, 1)
    d = lpips(a, b)
    assert d.shape == (3,)
    assert (d > 0).all()
    assert torch.allclose(d, lpips(b, a), atol=1e-6)
    assert lpips(a, a).abs().max() == 0
    # One by one, and with the truth's features made beforehand, it is the same.
    assert torch.allclose(d[1:2], lpips(a[1:2], b[1:2]), atol=1e-5)
    assert torch.equal(d, lpips.between(lpips.features(a), lpips.features(b)))


def test_as_defined(lpips: Any) -> None:
    """Equation 1 of the paper, cell by cell, for the first stage."""
    a, b = pictures(2, 1, 3, 64, 64)
    x, y = (f[0][0].double() for f in (lpips.features(a), lpips.features(b)))
    assert torch.allclose((x**2).sum(0), torch.ones((), dtype=torch.float64), atol=1e-5)
    weight = lpips.linear0.flatten().double()
    slow = sum(
        float((weight * (x[:, i, j] - y[:, i, j]) ** 2).sum()) for i in range(x.shape[1]) for j in range(x.shape[2])
    ) / (x.shape[1] * x.shape[2])
    first = ((x - y) ** 2 * weight[:, None, None]).sum(0).mean()
    assert float(first) == pytest.approx(slow, rel=1e-9)
    maps = zip(lpips.features(a), lpips.features(b), strict=True)
    parts = [((p - q) ** 2 * getattr(lpips, f"linear{k}")).sum(1).mean() for k, (p, q) in enumerate(maps)]
    assert float(lpips(a, b)) == pytest.approx(float(sum(parts)), rel=1e-5)


def test_gradients_reach_the_picture_and_nothing_else(lpips: Any) -> None:
    a = pictures(1, 3, 64, 64).requires_grad_()
    flat = torch.zeros(1, 3, 64, 64, requires_grad=True)  # all cells alike, some without any activation
    lpips(a, flat).sum().backward()
    for picture in (a, flat):
        assert torch.isfinite(picture.grad).all()
        assert picture.grad.abs().max() > 0
    assert not any(p.requires_grad for p in lpips.parameters())


def test_missing_weights(tmp_path: Path) -> None:
    from training.superres.lpips import Lpips

    with pytest.raises(FileNotFoundError, match=r"alexnet\.ckpt"):
        Lpips("alex", tmp_path)


def test_a_file_of_weights_runs_no_program() -> None:
    from training.superres.lpips import read_backbone

    class Evil:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return print, ("run",)

    with pytest.raises(pickle.UnpicklingError, match="no place"):
        read_backbone(pickle.dumps({"AlexNet_0": Evil()}))
