"""What is kept of a face once its files are written: enough for the contact sheet."""

from __future__ import annotations

from dataclasses import replace

from tronie.geometry import Similarity
from tronie.head.surface import reduced
from tronie.types import Face, Texture


def thinned(face: Face) -> Face:
    """The face with its pictures at no more than 512 pixels (what lies beside them only picked): 2 MB, not 26."""
    texture, frontal = face.texture, face.portrait
    if texture is not None:
        step = max(1, len(texture.provenance) // 512)
        texture = Texture(reduced(texture.image, 512), texture.provenance[::step, ::step].copy())
    if frontal is not None:
        step = max(1, len(frontal.mask) // 512)
        others = (
            None if picture is None else picture[::step, ::step].copy()
            for picture in (frontal.neutral, frontal.mask, frontal.neutral_mask)
        )
        neutral, mask, neutral_mask = others
        assert mask is not None
        frontal = replace(
            frontal, image=reduced(frontal.image, 512), neutral=neutral, mask=mask, neutral_mask=neutral_mask
        )
    albedo, detail = face.albedo, face.detail
    if detail is not None:
        detail = replace(detail, normals=reduced(detail.normals, 512))
    if albedo is not None:
        albedo = replace(albedo, image=reduced(albedo.image, 512))
    enhanced = face.enhanced
    if enhanced is not None:
        before, after = (reduced(picture, 256) for picture in (enhanced.before, enhanced.after))
        faithful, doubt = (None if x is None else reduced(x, 256) for x in (enhanced.faithful, enhanced.doubt))
        to_photo = Similarity(len(enhanced.before) / len(before), 0, 0, 0).then(enhanced.to_photo)
        lent = enhanced.borrowed
        if lent is not None:
            step = max(1, len(lent.share) // 256)
            lent = replace(lent, share=reduced(lent.share, 256), source=lent.source[::step, ::step].copy())
        enhanced = replace(enhanced, before=before, after=after, to_photo=to_photo, faithful=faithful, doubt=doubt)
        enhanced = replace(enhanced, borrowed=lent)
    shells = tuple(replace(shell, image=reduced(shell.image, 512)) for shell in face.shells)
    return replace(
        face, texture=texture, albedo=albedo, detail=detail, portrait=frontal, enhanced=enhanced, shells=shells
    )
