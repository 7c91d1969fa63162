"""Laws of the enhancers that are ONNX files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from places import EXAMPLES

from tronie.stages.enhance import make_enhancer
from tronie.stages.enhance.enhancer import FourfoldEnhancer, NetEnhancer


@given(st.floats(1, 400))
def test_a_face_is_handed_in_at_its_own_size_or_a_little_finer(pixels: float) -> None:
    net = FourfoldEnhancer("net", Path("none.onnx"), 256)
    side = net.wants(pixels)
    assert side % 16 == 0
    assert net.SMALLEST <= side <= net.LARGEST
    if net.SMALLEST <= pixels <= net.LARGEST:
        assert pixels - 1 < side < pixels + 16


def test_a_net_of_one_size_wants_that_size() -> None:
    assert NetEnhancer("net", Path("none.onnx"), 128).wants(17) == 128


def test_the_shipped_net_restores_detail_and_keeps_what_is_there() -> None:
    from PIL import Image

    net = make_enhancer("tronie", threads=1)
    photo = Image.open(EXAMPLES / "astronaut.jpg").convert("RGB")
    sharp = np.asarray(photo.crop((128, 0, 384, 256)))
    for side in (32, 64, 128):
        small = np.asarray(Image.fromarray(sharp).resize((side, side), Image.Resampling.BICUBIC))
        plain = np.asarray(Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC))
        made = net.restore(small[None])[0].faithful
        assert made.shape == (256, 256, 3)
        lost, left = (float(((x.astype(float) - sharp) ** 2).mean()) for x in (plain, made))
        assert left < 0.75 * lost
        again = np.asarray(Image.fromarray(made).resize((side, side), Image.Resampling.BICUBIC)).astype(float)
        assert np.abs(again - small).mean() < 4


def test_faces_of_one_call_do_not_touch_each_other() -> None:
    net = make_enhancer("tronie", threads=1)
    faces = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    together = net.restore(faces).faithful.astype(int)
    for k in range(3):
        assert np.abs(net.restore(faces[k : k + 1])[0].faithful.astype(int) - together[k]).max() <= 1
