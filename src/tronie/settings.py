"""One tree of settings; each stage takes its own branch. Frozen, validated, written into the manifest."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Branch(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DetectSettings(Branch):
    detector: str = Field("centerface", description="Which face detector to use; dlib is an extra.")
    min_face: float = Field(20, ge=1, description="Smallest face, pixels of the photo.")
    max_faces: int = Field(0, ge=0, description="Keep at most this many, largest first; 0 keeps all.")
    min_score: float = Field(0.5, ge=0, le=1, description="Least score of a detection.")


class LandmarkSettings(Branch):
    min_presence: float = Field(
        0.3, ge=0, le=1, description="Least certainty of the landmark net; below it the detector decides."
    )


class EnhanceSettings(Branch):
    mode: str = Field("auto", description="Super-resolution of small faces, of none, of all; NAME: by that net.")
    faces: Literal["small", "all"] = Field("small", description="Which faces are enhanced: the small ones, or all.")
    limit: float = Field(45, gt=0, description="A face is small below this, pixels between the eyes.")
    photo: bool = Field(False, description="Also save the whole photo with its enhanced faces.")

    @property
    def every_face(self) -> bool:
        """Whether faces are enhanced that show detail enough, and all of the net's detail is asked for."""
        return self.mode == "always" or self.faces == "all"


class HeadSettings(Branch):
    name: str = Field("tronie", description="Which head model: tronie's own, or one that you calibrated.")
    subdivide: Literal[0, 1, 2] | None = Field(
        None, description="Levels of smooth subdivision of the exported mesh; default: 1, 0 for a mesh that is fine."
    )


class FitSettings(Branch):
    engine: Literal["calibrated", "deep3d"] = Field(
        "calibrated", description="What reconstructs faces; deep3d wants your files."
    )
    mat: bool = Field(False, description="Also save what deep3d found as the .mat files of both official programs.")
    focal: float | None = Field(None, gt=0, description="Focal length in pixels; default: EXIF, else a guess.")
    warp: bool = Field(True, description="Let the head meet the landmarks with a small smooth warp.")


class TextureSettings(Branch):
    size: Literal[512, 1024, 2048, 4096] = Field(2048, description="Side of the square texture, pixels.")


class LightSettings(Branch):
    albedo: bool = Field(False, description="Also save the texture without the photo's light, and that light.")
    detail: bool = Field(False, description="Also save wrinkles and pores as a normal map, and put it into head.glb.")
    base_color: Literal["photo", "albedo"] = Field("photo", description="What head.glb and head.obj wear.")

    @property
    def wanted(self) -> bool:
        """Whether anything has to be done."""
        return self.albedo or self.detail or self.base_color == "albedo"


class PortraitSettings(Branch):
    size: Literal[256, 512, 1024] = Field(1024, description="Height of the frontal portrait, pixels.")
    crop: Literal["square", "passport", "head"] = Field("square", description="Cut of the portrait; passport: 35 x 45.")
    background: Literal["keep", "blur", "plain"] = Field(
        "keep", description="Behind the portrait: the photo's, blurred, or the head alone before grey."
    )
    expression: Literal["both", "keep", "neutral"] = Field(
        "both", description="Of the portrait: the photo's, at rest, or a file for each."
    )
    gaze: Literal["keep", "level"] = Field("keep", description="Of the portrait: the photo's, or into the camera.")
    identity: bool = Field(False, description="Measure how alike portrait and photo are; wants the extra identity.")


class ExportSettings(Branch):
    rig: bool = Field(False, description="Joints in head.glb: neck, head, jaw, both eyes.")
    lod: bool = Field(False, description="Also head_lod1.glb and head_lod2.glb, with about 8,000 and 2,000 triangles.")
    maps: bool = Field(False, description="Also how unsure the surface is, and where colours come from, as pictures.")
    usd: bool = Field(False, description="Also head.usdz, for USD and AR viewers; usd-core is an extra.")
    flat: bool = Field(False, description="Also one .obj a face beside the photos' folders, coloured by vertex.")
    morph_normals: bool = Field(False, description="Morph targets of head.glb turn the normals too; 2.7 MB more.")


class VideoSettings(Branch):
    every: int = Field(12, ge=1, description="Of a video: frames between two searches of the whole picture for faces.")
    smooth: float = Field(1.0, ge=0, le=5, description="Of a video: how much jitter is smoothed away; 0: none.")
    bridge: float = Field(0.5, ge=0, description="Of a video: seconds for which a hidden face is still there.")
    fps: float = Field(25.0, gt=0, le=1000, description="Of a video made of picture files: how many a second.")
    overlay: bool = Field(True, description="Of a video: the heads drawn over it, overlay.mp4.")
    talking: bool = Field(True, description="Of a video: each head from the front as a film, frontal.mp4.")
    seconds: float | None = Field(None, gt=0, description="Of a video or camera: only so many seconds.")


Stage = Literal["mesh", "texture", "frontal"]


class Settings(Branch):
    detect: DetectSettings = DetectSettings()
    landmarks: LandmarkSettings = LandmarkSettings()
    enhance: EnhanceSettings = EnhanceSettings()
    head: HeadSettings = HeadSettings()
    fit: FitSettings = FitSettings()
    texture: TextureSettings = TextureSettings()
    light: LightSettings = LightSettings()
    portrait: PortraitSettings = PortraitSettings()
    export: ExportSettings = ExportSettings()
    video: VideoSettings = VideoSettings()
    only: Stage | None = Field(None, description="Only the bare head, the head with its texture, or the portrait.")
