"""How near a restored face is to the truth."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np

from tronie.stages.landmarks import recognizer as identity

from .faces import INNER

LESS_IS_BETTER = ("LPIPS alex", "LPIPS vgg", "identity")
FIGURES = ("PSNR", "PSNR inner", "SSIM", *LESS_IS_BETTER)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """RGB, dB, of two uint8 pictures."""
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return float(10 * np.log10(255**2 / max(error, 1e-3)))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """As Wang et al. 2004 have it: Gaussian weights of 1.5 pixels; mean over the three channels."""
    from skimage.metrics import structural_similarity

    return float(
        structural_similarity(
            a, b, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
    )


class Judge:
    """Figures of many faces; what cannot be measured here is left out with a remark. Keeps what it found in `cache`."""

    def __init__(self, lpips: Path | None, nets: tuple[str, ...], cache: Path, device: str = "cpu") -> None:
        self.remarks: list[str] = []
        self._cache = cache
        self._lpips: dict[str, Any] = {}
        self._truth: dict[tuple[str, bytes], Any] = {}
        self._ssim = importlib.util.find_spec("skimage") is not None
        if not self._ssim:
            self.remarks.append("SSIM left out: it needs scikit-image.")
        if lpips is None or importlib.util.find_spec("torch") is None:
            self.remarks.append("LPIPS left out: it needs PyTorch and --lpips FOLDER (see training/superres/lpips.py).")
        else:
            from training.superres.lpips import Lpips

            self._device = device
            self._lpips = {net: Lpips(net, lpips).to(device) for net in nets}

    def judge(self, faces: np.ndarray, truth: np.ndarray) -> dict[str, list[float]]:
        """(N, 256, 256, 3) twice -> each figure of each face."""
        key = hashlib.sha256(faces.tobytes() + truth.tobytes()).hexdigest()[:20]
        file = self._cache / f"figures-{key}.json"
        found: dict[str, list[float]] = json.loads(file.read_text()) if file.is_file() else {}
        pairs = list(zip(faces, truth, strict=True))
        if "PSNR" not in found:
            found["PSNR"] = [psnr(a, b) for a, b in pairs]
            found["PSNR inner"] = [psnr(a[INNER], b[INNER]) for a, b in pairs]
        if self._ssim and "SSIM" not in found:
            found["SSIM"] = [ssim(a, b) for a, b in pairs]
        for net in self._lpips:
            if f"LPIPS {net}" not in found:
                found[f"LPIPS {net}"] = [self._distance(net, a, b) for a, b in pairs]
        if "identity" not in found:
            found["identity"] = identity.distance(self._who(faces), self._who(truth)).tolist()
        file.write_text(json.dumps(found))
        return {name: found[name] for name in FIGURES if name in found}

    def _who(self, faces: np.ndarray) -> np.ndarray:
        file = self._cache / f"who-{hashlib.sha256(faces.tobytes()).hexdigest()[:20]}.npy"
        if not file.is_file():
            np.save(file, identity.embedding(faces))
        return np.asarray(np.load(file))

    def _distance(self, net: str, a: np.ndarray, b: np.ndarray) -> float:
        """LPIPS of a result `a` and the truth `b`, whose features serve all methods (32 MB a face)."""
        import torch

        model, key = self._lpips[net], (net, hashlib.sha256(b.tobytes()).digest())
        with torch.no_grad():
            if key not in self._truth:
                self._truth[key] = model.features(self._tensor(b))
            return float(model.between(model.features(self._tensor(a)), self._truth[key]))

    def _tensor(self, face: np.ndarray) -> Any:
        import torch

        planes = np.ascontiguousarray(face.transpose(2, 0, 1))
        return torch.from_numpy(planes)[None].float().to(self._device) / 127.5 - 1


def table(title: str, rows: dict[str, dict[str, list[float]]], seconds: dict[str, float | None]) -> str:
    """A Markdown table of means; the best of each column in bold."""
    columns = [name for name in FIGURES if any(name in row for row in rows.values())]
    means = {method: {c: float(np.mean(row[c])) for c in columns if c in row} for method, row in rows.items()}
    best = {c: (min if c in LESS_IS_BETTER else max)(m[c] for m in means.values() if c in m) for c in columns}
    lines = [
        f"| {title} | " + " | ".join(columns) + " | ms a face |",
        "|" + "---|" * (len(columns) + 2),
    ]
    for method, values in means.items():
        cells = []
        for c in columns:
            if c not in values:  # known of the others from an earlier run
                cells.append("")
                continue
            text = f"{values[c]:.2f}" if c.startswith("PSNR") else f"{values[c]:.3f}"
            cells.append(f"**{text}**" if values[c] == best[c] else text)
        time = seconds.get(method)
        lines.append(f"| {method} | " + " | ".join(cells) + f" | {'' if time is None else f'{1000 * time:.0f}'} |")
    return "\n".join(lines)
