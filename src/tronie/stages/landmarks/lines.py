"""MediaPipe's landmarks along the lines of a face, by number; from the subject's right to the left, or downwards."""

from __future__ import annotations

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
LIPS = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191),
)
IRISES = ((469, 470, 471, 472), (474, 475, 476, 477))
BROWS = ((46, 53, 52, 65, 55), (70, 63, 105, 66, 107), (276, 283, 282, 295, 285), (300, 293, 334, 296, 336))
NOSE = ((168, 6, 197, 195, 5, 4, 1), (129, 98, 97, 2, 326, 327, 358))

CLOSED_LINES = (OVAL, *EYES, *LIPS, *IRISES)
OPEN_LINES = (*BROWS, *NOSE)
HANDLES: tuple[int, ...] = (
    *sorted({row for line in (OVAL, *EYES, *LIPS, *OPEN_LINES) for row in line} | {50, 280, 205, 425, 101, 330}),
    468, 473,
)  # fmt: skip
"""Landmarks that a hand can place: those of the lines, some of the cheeks, the middles of the irises."""
