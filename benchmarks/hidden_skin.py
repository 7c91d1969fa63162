"""What the model of skin knows of a half of the face that it was not shown.

    python -m benchmarks.hidden_skin ../shared/faces_cc0

For the portraits 80 to 99 of each sex, which the model was not learned from: one half of the face (x above 4 mm or
below -4 mm, each in turn) is hidden, the model is fitted to the rest of what is seen, and what it says of the hidden
half's seen inner face is compared with the photo, at the control mesh's vertices, averaged over 3 mm of skin. Beside it
the person's own tone, constant, and the mirrored other half, which needs nothing but a frontal photo and even light.
Mean absolute differences in sRGB levels. Writes nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

import tronie
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.inpaint import complete
from tronie.stages.texture.segment import sample_photo
from tronie.stages.texture.skin_fit import fit_skin, skin_basis
from tronie.stages.texture.skin_model import colour_of
from tronie.stages.texture.visibility import find_visibility


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = tronie.Pipeline(tronie.Settings(only="mesh"), threads=1)
    model = pipeline.model
    facts, base = surface_facts(model, 1), skin_basis(model, 1)
    assert base is not None
    count, x = len(model.mean), model.mean[:, 0]
    rows = []
    for sex in ("female", "male"):
        for index in range(80, 100):
            result = pipeline.run(options.folder / f"{sex}_{index:02d}.webp")
            face = result.faces[0]
            assert face.head is not None
            assert face.fit is not None
            view = find_visibility(result.photo, face.head, face.fit, facts)
            samples = sample_photo(result.photo, view, count)
            seen = complete(samples, model, 1, facts).seen[:count] * facts.inner
            colour = samples.colour.rgb
            for side in (1, -1):
                hidden = (side * x > 4) & (seen > 0.9) & (seen[model.mirror] > 0.9)
                known = seen * (side * x < -4)
                if hidden.sum() < 200:
                    continue
                said = fit_skin(base, samples.colour.opponent, known, view.normals, 1.0)
                guesses = (
                    np.clip(colour_of(said.fitted[:count]), 0, 255)[hidden],
                    np.broadcast_to(np.median(colour[known > 0.9], axis=0), colour[hidden].shape),
                    colour[model.mirror][hidden],
                )
                rows.append([np.abs(g - colour[hidden]).mean() for g in guesses])
    of = np.array(rows)
    print(
        f"{len(of)} halves of faces of 40 portraits, sRGB levels: model {of[:, 0].mean():.1f} "
        f"(worst {of[:, 0].max():.1f}), own tone {of[:, 1].mean():.1f}, mirrored {of[:, 2].mean():.1f}"
    )
    print(
        f"the model is nearer than the tone in {(of[:, 0] < of[:, 1]).sum()} halves, "
        f"than the mirror image in {(of[:, 0] < of[:, 2]).sum()}"
    )


if __name__ == "__main__":
    main()
