"""The PNG writer gives exact pictures, read by two other libraries, whatever the picture."""

from __future__ import annotations

import io
import itertools
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from PIL import Image

from tronie.io.encode import PROVENANCE_COLORS, jpeg, png, provenance_png, webp
from tronie.io.png_writer import LONGEST_CODE, canonical, code_lengths, deflate, encode_png
from tronie.types import PROVENANCE

shapes = st.one_of(
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([3, 4])),
)


def check(image: np.ndarray) -> None:
    data = png(image)
    picture = Image.open(io.BytesIO(data))
    picture.verify()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read if image.ndim == 2 else read[..., [2, 1, 0, 3][: image.shape[2]]], image)


@settings(max_examples=60, deadline=None)
@given(shapes.flatmap(lambda shape: nps.arrays(np.uint8, shape)))
def test_any_picture_survives(image: np.ndarray) -> None:
    check(image)


@pytest.mark.parametrize("kind", ["noise", "flat", "ramp", "photo", "stripes"])
@pytest.mark.parametrize("channels", [0, 3])
def test_large_pictures_survive(kind: str, channels: int) -> None:
    """Large enough that the codes are made from a sample: rare bytes may be missing from it."""
    shape = (700, 900, 3) if channels else (900, 900)
    rng = np.random.default_rng(0)
    image = {
        "noise": lambda: rng.integers(0, 256, shape, dtype=np.uint8),
        "flat": lambda: np.full(shape, 77, np.uint8),
        "ramp": lambda: (
            np.broadcast_to(np.arange(900)[None, :, None] // 4, (700, 900, 3))
            if channels
            else np.broadcast_to(np.arange(900)[None, :] // 4, shape)
        ),
        "photo": lambda: np.clip(np.cumsum(rng.normal(size=shape), axis=1) + 128, 0, 255),
        "stripes": lambda: np.indices(shape)[0] // 50 % 2 * 255,
    }[kind]()
    image = np.ascontiguousarray(image, dtype=np.uint8)
    image[-1, -1] = 255
    check(image)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=5000), st.integers(1, 400))
def test_deflate_is_undone_by_zlib(data: bytes, repeat: int) -> None:
    values = np.repeat(np.frombuffer(data, np.uint8), repeat)[:200_000]
    assert zlib.decompress(deflate(values)) == values.tobytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=286), st.sampled_from([9, LONGEST_CODE]))
def test_codes_are_whole_short_and_sorted(counts: list[int], longest: int) -> None:
    """Kraft's sum is 1 (no code left, none twice), none is too long, and the commoner is never longer."""
    array = np.array(counts)
    lengths = code_lengths(array, longest).astype(int)
    used = array > 0
    assert (lengths[~used] == 0).all()
    assert lengths.max() <= longest
    if used.sum() >= 2:
        assert sum(2.0 ** -lengths[used]) == 1.0
        order = np.argsort(-array[used], kind="stable")
        common = array[used][order]
        length = lengths[used][order]
        assert all(length[i] <= length[i + 1] for i in range(len(length) - 1) if common[i] > common[i + 1])
    codes = canonical(lengths.astype(np.uint8))
    texts = [f"{int(c):0{n}b}"[::-1] for c, n in zip(codes, lengths, strict=True) if n]
    assert len({*texts}) == len(texts)
    ordered = sorted(texts)
    assert not any(b.startswith(a) for a, b in itertools.pairwise(ordered))


def test_best_codes_where_length_is_no_matter() -> None:
    """Without a limit that binds, as short as Huffman's (sum of the merged weights)."""
    import heapq

    counts = np.random.default_rng(1).integers(1, 1000, 60)
    heap, total = counts.tolist(), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        merged = heapq.heappop(heap) + heapq.heappop(heap)
        total += merged
        heapq.heappush(heap, merged)
    assert int((counts * code_lengths(counts, 15)).sum()) == total


def test_provenance_keeps_its_numbers_and_shows_colours() -> None:
    numbers = np.arange(len(PROVENANCE), dtype=np.uint8).repeat(10)[None].repeat(8, axis=0)
    picture = Image.open(io.BytesIO(provenance_png(numbers)))
    assert picture.mode == "P"
    assert np.array_equal(np.asarray(picture), numbers)
    assert [tuple(c) for c in np.asarray(picture.convert("RGB"))[0, ::10]] == [PROVENANCE_COLORS[n] for n in PROVENANCE]
    assert picture.text["Comment"].startswith("0 outside, 1 seen")


def test_refuses_what_it_cannot_write() -> None:
    for image in (np.zeros((2, 2), np.uint16), np.zeros((2, 2, 5), np.uint8), np.zeros((0, 2), np.uint8)):
        with pytest.raises(ValueError, match="PNG"):
            encode_png(image)


def test_lossy_files_keep_red_red() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[:] = (200, 40, 90)
    for data in (jpeg(image), jpeg(image, full_color=True), webp(image)):
        mean = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).reshape(-1, 3).mean(axis=0)
        assert np.abs(mean - [200, 40, 90]).max() < 4
