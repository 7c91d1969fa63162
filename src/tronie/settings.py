"""One tree of settings; each stage takes its own branch. Frozen, validated, written into the manifest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from tronie.outputs import USUAL, Only, Stage, in_order, stages, wanted

DeviceName = Literal["auto", "cpu", "cuda", "coreml", "directml", "openvino"]
"""Where nets run: `tronie.runtime.devices`."""


def _number(value: Any) -> Any:
    """Of a command line all values are text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Branch(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReadSettings(Branch):
    max_megapixels: float | None = Field(
        None, gt=0, lt=1_000_000, description="Refuse larger photos; default: 120, baseline JPEG 1000."
    )


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
    look: Literal["vivid", "faithful"] = Field(
        "vivid", description="Crisp, where nothing speaks against it, or always as the face most likely was."
    )
    reference: bool = Field(True, description="Of a person: let the other photos help restore small faces.")

    @property
    def every_face(self) -> bool:
        """Whether faces are enhanced that show detail enough, and all of the net's detail is asked for."""
        return self.mode == "always" or self.faces == "all"


class HeadSettings(Branch):
    name: str = Field("tronie", description="Which head model: tronie's own, or one that you calibrated.")
    subdivide: Literal[0, 1, 2] | None = Field(
        None, description="Levels of smooth subdivision of the exported mesh; default: 1, 0 for a mesh that is fine."
    )
    folds: Literal["auto", "none"] = Field("auto", description="Deep folds of old skin as relief of the head, or none.")
    bust: bool = Field(False, description="Neck and shoulders below the head, in the photo's clothes.")


class HairSettings(Branch):
    mode: Literal["auto", "scalp", "none"] = Field(
        "auto", description="Hair as a mesh of its own; scalp: painted on the head; none: bald skin."
    )
    glasses: Literal["remove", "keep"] = Field("remove", description="Glasses go, or become a mesh of their own.")
    lashes: Literal["auto", "none"] = Field("auto", description="Lashes, a mesh that moves with the lids; or none.")


class FitSettings(Branch):
    engine: str = Field("calibrated", description="What reconstructs faces; deep3d wants your files.")
    focal: float | None = Field(None, gt=0, description="Focal length in pixels; default: EXIF, else a guess.")
    warp: bool = Field(True, description="Let the head meet the landmarks with a small smooth warp.")
    outline: Literal["auto", "none"] = Field(
        "auto", description="Let the outline of a turned face before the background refine the head."
    )


class TextureSettings(Branch):
    size: Annotated[Literal["auto", 512, 1024, 2048, 4096], BeforeValidator(_number)] = Field(
        "auto", description="Side of the square texture, pixels; auto: 2048, 1024 where a face has few of its own."
    )


class LightSettings(Branch):
    base_color: Literal["photo", "albedo"] = Field("photo", description="What head.glb and head.obj wear.")


class PortraitSettings(Branch):
    size: Annotated[Literal["auto", 256, 512, 1024], BeforeValidator(_number)] = Field(
        "auto", description="Height of the frontal portrait, pixels; auto: 1024, 512 where a face has few of its own."
    )
    crop: Literal["square", "passport", "head"] = Field("square", description="Cut of the portrait; passport: 35 x 45.")
    background: Literal["keep", "blur", "plain", "none"] = Field(
        "keep", description="Behind the portrait: the photo's, blurred, the head alone before grey; or none at all."
    )
    expression: Literal["both", "keep", "neutral"] = Field(
        "both", description="Of the portrait: the photo's, at rest, or a file for each."
    )
    gaze: Literal["keep", "level"] = Field("keep", description="Of the portrait: the photo's, or into the camera.")
    identity: bool = Field(False, description="Measure how alike portrait and photo are.")


class ExportSettings(Branch):
    rig: bool = Field(False, description="Joints in head.glb: neck, head, jaw, both eyes.")
    morph_normals: bool = Field(False, description="Morph targets of head.glb turn the normals too; 2.7 MB more.")


class RestoreSettings(Branch):
    damage: Literal["auto", "always", "off"] = Field(
        "auto", description="Fill in scratches, folds, stains and dust; auto: of photos that are grey, toned or faded."
    )
    keep_tone: bool = Field(False, description="Of an old photo: leave it its sepia or other tone.")
    colour: bool = Field(False, description="Of a grey photo: also one in colours, which are invented.")


class ComputeSettings(Branch):
    device: DeviceName = Field(
        "auto", description="Where nets run; auto: a graphics card where one is set up, else the processor."
    )


class VideoSettings(Branch):
    every: int = Field(12, ge=1, description="Of a video: frames between two searches of the whole picture for faces.")
    smooth: float = Field(1.0, ge=0, le=5, description="Of a video: how much jitter is smoothed away; 0: none.")
    neutral: bool = Field(True, description="Of a video: count units from each person's own rest to his own range.")
    bridge: float = Field(0.5, ge=0, description="Of a video: seconds for which a hidden face is still there.")
    fps: float = Field(25.0, gt=0, le=1000, description="Of a video made of picture files: how many a second.")
    start: float | None = Field(None, ge=0, description="Of a video: from this second on.")
    seconds: float | None = Field(None, gt=0, description="Of a video or camera: only so many seconds.")


class Settings(Branch):
    job: Literal["heads", "restore"] = Field("heads", description="Heads and portraits, or old photos restored.")
    read: ReadSettings = ReadSettings()
    detect: DetectSettings = DetectSettings()
    landmarks: LandmarkSettings = LandmarkSettings()
    enhance: EnhanceSettings = EnhanceSettings()
    head: HeadSettings = HeadSettings()
    hair: HairSettings = HairSettings()
    fit: FitSettings = FitSettings()
    texture: TextureSettings = TextureSettings()
    light: LightSettings = LightSettings()
    portrait: PortraitSettings = PortraitSettings()
    export: ExportSettings = ExportSettings()
    restore: RestoreSettings = RestoreSettings()
    video: VideoSettings = VideoSettings()
    compute: ComputeSettings = ComputeSettings()
    outputs: tuple[str, ...] = Field(USUAL, description="What is written: names of outputs.")
    only: Only | None = Field(None, description="Only the bare head, the head with its texture, or the portrait.")

    @field_validator("outputs")
    @classmethod
    def _in_order(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return in_order(names)

    @property
    def wanted(self) -> frozenset[str]:
        """The outputs that are written."""
        return wanted(self.outputs, self.only, wear_albedo=self.light.base_color == "albedo")

    def runs(self, stage: Stage) -> bool:
        """Whether an output needs what this stage makes."""
        return stage in stages(self.wanted, self.only)
