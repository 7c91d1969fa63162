"""What face.json, manifest.json and person.json hold, as pydantic models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tronie.errors import Trouble
from tronie.settings import Settings

FORMAT = 1
"""Raised when a field changes its meaning or goes away; new fields do not raise it."""

Row2 = tuple[float, float]
Row3 = tuple[float, float, float]
Row4 = tuple[float, float, float, float]


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # a run needs a few of them


class PhotoRecord(Record):
    source: str = Field(description="The path as it was given, or `<array>`.")
    name: str = Field(description="The folder of the photo's results.")
    width: int = Field(description="Pixels, after turning upright by EXIF.")
    height: int
    scale: float = Field(description="Pixels of the file per pixel used (above 1: a huge photo was reduced).")
    notes: list[str] = Field([], description="What reading it did: only the first frame used, reduced, ...")


class PoseRecord(Record):
    yaw: float = Field(description="Degrees; above 0 the face is turned towards the image's right.")
    pitch: float = Field(description="Degrees; above 0 the face looks up.")
    roll: float = Field(description="Degrees; above 0 the head is tilted counter-clockwise as seen in the image.")
    convention: str = Field(
        "D R = Ry(yaw) Rx(-pitch) Rz(roll), R = rotation of head_to_camera, D = diag(1, -1, -1); 0, 0, 0 looks "
        "into the camera",
        description="How the angles make the rotation.",
    )


class CameraRecord(Record):
    focal: float = Field(description="Pixels: u = focal x / z + cx, v = aspect focal y / z + cy.")
    aspect: float = Field(1.0, description="Other than 1 with the engine `deep3d`, whose pixels are not quite square.")
    center: Row2 = Field(description="cx, cy: pixels.")
    size: tuple[int, int] = Field(description="Width and height of the photo, pixels.")


class LandmarksRecord(Record):
    presence: float = Field(description="0..1: how sure the landmark net is that this is a face.")
    points: list[Row3] = Field(description="478 rows x, y, z: photo pixels; z grows away from the camera.")
    scores: dict[str, float] = Field(description="The net's score, 0..1, of each ARKit unit.")
    pins: dict[int, tuple[float, float]] = Field(
        default={},
        description="Those that a user put where they belong, by number: x, y in photo pixels, as in `points`.",
    )


class FitRecord(Record):
    identity: list[float] = Field(description="Coefficients of the model's identity basis, standard deviations.")
    expression: dict[str, float] = Field(
        description="Weight, 0..1, of each ARKit unit: the GLB's default weights. Empty where the model has no units."
    )
    pose: PoseRecord
    head_to_camera: tuple[Row4, Row4, Row4, Row4] = Field(
        description="Rows of the rigid map from head to camera millimetres (x right, y down, z forward)."
    )
    camera: CameraRecord
    diagnostics: dict[str, float] = Field(description="`rms`: landmark error by the face-box size; others by name.")


class EnhancementRecord(Record):
    """What super-resolution tried on the face's aligned crop, and how far it was believed."""

    name: str = Field(description="Of the net.")
    side: int = Field(description="Of the crop (crop.png, enhanced.png), pixels.")
    factor: float = Field(description="Pixels of the crop per pixel of the photo.")
    crop_to_photo: tuple[Row3, Row3] = Field(description="Rows of the map from crop to photo pixels.")
    blend: float = Field(description="0..1: the share of the net's detail that was used; 0 is none.")
    agreement: float = Field(
        description="dB: the enhanced crop against the photo at the photo's resolution. This and the next are those of "
        "what was accepted or, with blend 0, of what was refused."
    )
    structure: float = Field(description="-1..1: correlation there, where in the face it is least.")
    shift: float = Field(description="RMS move of the landmarks by the distance between the eyes.")
    identity: float | None = Field(None, description="Distance of the recogniser's embeddings, where it was asked.")
    note: str | None = Field(None, description="Why it was weakened or refused.")
    look: Literal["faithful", "vivid"] = Field(
        "faithful", description="Of enhanced.png: as the face most likely was, or as it may have looked."
    )
    doubt: float | None = Field(
        None, description="Grey levels: the error of the faithful look by the net's own account, mean over the crop."
    )
    references: list[str] = Field([], description="Other photos of the person that lent it detail: their paths.")
    lent: float | None = Field(None, description="0..1: share of the crop's detail that is from these.")


class UsedRecord(Record):
    """A model that was used."""

    name: str
    licence: str
    commercial_use: bool = Field(description="Whether that licence allows it.")
    device: str | None = Field(None, description="Where the net ran; null for what is no net, or was not run.")


class ModelRecord(Record):
    name: str
    licence: str
    level: int = Field(description="How often the control mesh was subdivided.")
    vertices: int
    triangles: int


class PortraitRecord(Record):
    """Where a portrait's pixels come from."""

    seen: float = Field(description="Share of the head, without its neck, that is the photo's.")
    mirrored: float = Field(description="... that is the other side of the face.")
    invented: float = Field(description="... that is filled in or painted.")
    around: float = Field(description="Share of the picture that follows the head: hair, neck, clothes, background.")
    extended: float = Field(
        description="... that is made up beyond the photo's border, and beside and behind a turned head."
    )


class FrontalRecord(Record):
    size: tuple[int, int] = Field(description="Width and height, pixels.")
    portrait: PortraitRecord = Field(description="frontal.png")
    neutral: PortraitRecord | None = Field(None, description="frontal_neutral.png")
    identity: float | None = Field(
        None, description="Distance of the recogniser's embeddings of frontal.png and the photo's face; 0.6: another."
    )


class Deep3DRecord(Record):
    """What the engine `deep3d` made of the face; deep3d.obj is its mesh, `fit` the same in head.obj's axes."""

    coefficients: list[float] = Field(
        description="257, in the published order: identity, expression, texture, angles, light, translation."
    )
    pose: PoseRecord
    head_to_camera: tuple[Row4, Row4, Row4, Row4] = Field(
        description="Rows of the rigid map from deep3d.obj's millimetres to the camera's (x right, y down, z forward)."
    )
    camera: CameraRecord
    vertices: int
    sources: list[str] = Field(description="The user's files it was made with, and their licences.")


class LightRecord(Record):
    """The light that the photo was taken in, as it was divided out of albedo.png."""

    coefficients: list[Row3] = Field(
        description="9 rows red, green, blue: spherical harmonics of the radiance, linear, with the primaries of sRGB."
    )
    convention: str = Field(
        "axes of the head (+x to the subject's left, +y up, +z out of the face); rows (l, m) = (0,0) (1,-1) (1,0) "
        "(1,1) (2,-2) (2,-1) (2,0) (2,1) (2,2), real and orthonormal: 0.282095, 0.488603 y, z, x, 1.092548 xy, "
        "1.092548 yz, 0.315392 (3zz - 1), 1.092548 xz, 0.546274 (xx - yy); matt white of normal n shows "
        "sum(k_l L_lm Y_lm(n)), k = 1, 2/3, 1/4; that times the linear albedo is the photo",
        description="What the coefficients mean (Ramamoorthi & Hanrahan 2001; theirs are pi k).",
    )
    white: Row3 = Field(
        description="Linear colour of the light on most of the face, green 1: albedo.png has it as white."
    )
    skin: Row3 = Field(description="sRGB 0..255 of the skin in albedo.png.")
    shadowed: float = Field(description="0..1: share of the seen skin with a shadow found by comparing its sides.")
    monochrome: bool = Field(description="The photo is grey or toned; then so is albedo.png.")


class HairRecord(Record):
    """What was found out of a person's hair."""

    kind: Literal["bald", "short", "long", "covered"] = Field(
        description="`short` is all that ends above the shoulders' height; under a hat or scarf it is `covered`."
    )
    certainty: float = Field(description="0..1.")
    fullness: float = Field(description="0..1: how much of the scalp above the temples has hair.")
    color: Row3 = Field(description="sRGB 0..255, the median of what the photo shows; the skin's on a bald head.")


class FoldsRecord(Record):
    """Deep folds of the skin, which are relief of the head."""

    lined: float = Field(description="0..1: how lined the skin is.")
    deepest_mm: float = Field(description="Depth of the deepest fold.")


class BustRecord(Record):
    """The body below the head."""

    width_mm: float = Field(description="Of the shoulders.")
    seen: float = Field(description="0..1: share of its surface that the photo shows; the rest is continued.")


class DetailRecord(Record):
    """The normal map of wrinkles and pores, normal.png."""

    side: int = Field(description="Pixels: as large as the texture, or half, ...: as much as the photo supports.")
    texel_mm: float = Field(description="Size of its texel on the face.")
    noise: float = Field(description="Logarithm of brightness (RMS) that was taken for the photo's noise.")
    amount: float = Field(description="0..1: share of the head that is not flat.")


class UnitsRecord(Record):
    pixels: str = "photo pixels, x to the right, y down; the centre of the first pixel is (0.5, 0.5)"
    head: str = (
        "millimetres, +x to the subject's left, +y up, +z out of the face, origin midway between the centres of "
        "rotation of the eyes"
    )
    files: str = "head.obj and head.ply are in millimetres, head.glb in metres, with the same axes"


class FaceRecord(Record):
    """face.json: all numbers known of one face of one photo."""

    format: int = FORMAT
    tronie: str = Field(description="Version of the library.")
    photo: PhotoRecord
    index: int = Field(description="1 for the largest face of the photo.")
    box: Row4 = Field(description="x0, y0, x1, y1: photo pixels; may reach beyond the border.")
    score: float = Field(description="The detector's, 0..1.")
    points5: list[Row2] = Field(
        description="Photo pixels: eye at image left, eye at image right, nose tip, mouth corner left, right."
    )
    landmarks: LandmarksRecord | None = None
    points68: list[Row2] | None = Field(
        None, description="The fitted head's iBUG points in the photo (the 3D jaw, not the visible contour)."
    )
    enhancement: EnhancementRecord | None = Field(None, description="Absent where nothing was tried.")
    fit: FitRecord | None = None
    deep3d: Deep3DRecord | None = None
    model: ModelRecord | None = None
    engine: str | None = Field(None, description="What reconstructed the face: `calibrated` or `deep3d`.")
    models: list[UsedRecord] = Field([], description="The models it was made with, and their licences.")
    provenance: dict[str, float] | None = Field(
        None, description="Share of the used texture area that is seen, mirrored, filled, synthetic, enhanced, ..."
    )
    texture_size: int | None = Field(None, description="Side of texture.png, pixels.")
    hair: HairRecord | None = Field(None, description="What the photo tells of the hair; null where nothing asked.")
    shells: dict[str, int] = Field(
        default_factory=dict,
        description="Surfaces of their own (hair, covering, glasses, lashes, neck, bust): triangles.",
    )
    bust: BustRecord | None = Field(None, description="With --bust.")
    light: LightRecord | None = Field(None, description="With --albedo or --base-color albedo.")
    frontal: FrontalRecord | None = None
    folds: FoldsRecord | None = Field(None, description="Null with --folds none, and where little skin is seen.")
    detail: DetailRecord | None = Field(None, description="With --detail.")
    files: list[str] = Field(description="Names of the other files in the same folder.")
    warnings: list[str] = Field([], description="Why to trust the face less, one sentence each.")
    warning_codes: list[str] = Field([], description="Of each of `warnings`, in their order, the code to filter on.")
    error: str | None = None
    timings: dict[str, float] = Field(description="Stage -> seconds.")
    units: UnitsRecord = UnitsRecord()


Status = Literal["ok", "no_face", "error", "pending"]


class UnmeasuredRecord(Record):
    """A face that was seen and could not be measured."""

    box: Row4 = Field(description="x0, y0, x1, y1: photo pixels.")
    score: float = Field(description="The detector's, 0..1.")
    reason: str = Field(description="One sentence.")


class InputRecord(Record):
    """One photo of a job."""

    source: str = Field(description="The path as it was given.")
    name: str = Field(description="Its folder below the output folder.")
    status: Status = Field(description="`pending`: not reached yet, or the job was interrupted.")
    reason: str | None = Field(None, description="One sentence for `no_face` and `error`.")
    trouble: Trouble | None = Field(None, description="The kind of an error.")
    faces: int = Field(0, description="How many faces were written.")
    enhanced: int = Field(0, description="Into how many of them super-resolution put detail.")
    warnings: list[str] = Field([], description="Of the whole photo or, with the face's number, of its faces.")
    warned: dict[str, list[int]] = Field({}, description="Code of a warning -> numbers of the faces that have it.")
    unmeasured: list[UnmeasuredRecord] = Field([], description="Faces that were seen but could not be measured.")
    seconds: float | None = None
    size: int | None = Field(None, description="Bytes of the file.")
    modified: int | None = Field(None, description="Its time of change, nanoseconds since 1970.")
    settings: str = Field(description="Which settings made it: their fingerprint.")
    depends: str | None = Field(
        None,
        description="Fingerprint of those of the settings that it depends on: where others change it stays as it is.",
    )
    content: str | None = Field(
        None, description="What tells the file's content from another's (BLAKE2b); null of files above 64 MB."
    )


class ManifestRecord(Record):
    """manifest.json: what a job was asked to do and what became of every input."""

    format: int = FORMAT
    tronie: str = Field(description="Version of the library that wrote it last.")
    settings: Settings = Field(description="Of the last run into this folder.")
    fingerprint: str = Field(description="Of these settings.")
    engine: str | None = Field(None, description="What these settings reconstruct faces with.")
    models: list[UsedRecord] = Field([], description="The models that these settings use, and their licences.")
    inputs: list[InputRecord]
    left_out: dict[str, int] = Field(
        {},
        description="Files in the folders of the last run that were left out: how many of each ending that is not "
        "read, and `clips of live photos`.",
    )


class PersonPhotoRecord(Record):
    """One photo of a person."""

    source: str = Field(description="The path as it was given.")
    size: int | None = Field(None, description="Bytes of the file.")
    modified: int | None = Field(None, description="Its time of change, nanoseconds since 1970.")
    face: int = Field(description="Which of the photo's faces, largest first.")
    box: Row4 = Field(description="x0, y0, x1, y1: photo pixels.")
    main: bool = Field(description="Whether the portrait, and the first part of the texture, are from this photo.")
    weight: float = Field(description="How much it says about the shape; 1 on average, 0 for copies.")
    texture: float | None = Field(None, description="Share of the seen skin that is from this photo.")
    number: int | None = Field(None, description="Its number in photos.png, if the texture is made of it.")
    enhancement: EnhancementRecord | None = Field(
        None, description="Of its face, where that is small and another photo shows it finer."
    )
    fit: FitRecord
    warnings: list[str] = []
    warning_codes: list[str] = Field([], description="Of each of `warnings` its code.")


class SpreadRecord(Record):
    """How sure the shape is with the first photos."""

    photos: int
    sigma_mm: float = Field(description="Median standard deviation of the inner face's vertices.")
    effective: float = Field(description="How many independent photos these are worth.")


class PersonRecord(Record):
    """person.json: one person, from several photos."""

    format: int = FORMAT
    tronie: str = Field(description="Version of the library that wrote it.")
    name: str = Field(description="As in people.txt.")
    settings: str = Field(description="Which settings made it: their fingerprint.")
    identity: list[float] = Field(description="Coefficients of the model's identity basis, standard deviations.")
    size: float = Field(description="Logarithm of the growth that the irises of all photos asked for.")
    effective: float = Field(description="How many independent photos they are worth.")
    sigma_mm: float = Field(description="Median standard deviation of the inner face's vertices.")
    spread: list[SpreadRecord] = Field(description="The same with the first 1, 2, ... photos (of very many: some).")
    photos: list[PersonPhotoRecord]
    model: ModelRecord
    models: list[UsedRecord] = Field([], description="The models that were used, and their licences.")
    files: list[str]
    units: UnitsRecord = UnitsRecord()


class ToneRecord(Record):
    """What had become of an old photo's tones."""

    monochrome: float = Field(description="0..1: how sure it is that the photo is grey, or of one hue as sepia is.")
    toned: bool = Field(description="Whether it has one hue.")
    black: Row3 = Field(description="sRGB, 0..255, of its darkest places.")
    white: Row3 = Field(description="Of its lightest.")
    faded: float = Field(description="0..1: how far it was taken for faded; 0: its levels are as they were.")
    kept: bool = Field(description="Whether the one hue was left to it (--keep-tone).")


class RestoredFaceRecord(Record):
    index: int = Field(description="Largest face first.")
    box: Row4 = Field(description="x0, y0, x1, y1: photo pixels.")
    score: float = Field(description="The detector's, 0..1.")
    enhancement: EnhancementRecord | None = Field(None, description="Null where nothing was tried.")
    warnings: list[str] = []
    warning_codes: list[str] = Field([], description="Of each of `warnings` its code.")


class ColoursRecord(Record):
    """Colours of coloured.png. All of them are invented."""

    invented: Literal[True] = True
    parts: dict[str, float] = Field(description="Share of the picture that was taken for skin, lips, hair, ...")


class RestoredRecord(Record):
    """restored.json: what was done to an old photo, and what of it is invented."""

    format: int = FORMAT
    tronie: str
    photo: PhotoRecord
    width: int = Field(description="Of restored.png, pixels.")
    height: int
    factor: int = Field(description="1, 2 or 4: how many times as large as the photo it is.")
    filled: float = Field(description="0..1: share of the photo that was damaged and is filled in.")
    tone: ToneRecord
    grain: float = Field(description="Grey levels (RMS) of the photo's grain and noise, before it was lightened.")
    faces: list[RestoredFaceRecord]
    unmeasured: list[UnmeasuredRecord] = Field([], description="Faces that were seen but could not be measured.")
    colours: ColoursRecord | None = Field(None, description="With --colour, of a grey photo.")
    models: list[UsedRecord] = Field([], description="The models it was made with, and their licences.")
    files: list[str] = Field(description="Names of the other files in the same folder.")
    timings: dict[str, float] = Field(description="Stage -> seconds.")


class VideoRecord(Record):
    source: str = Field(description="The path as it was given, or `camera:0`.")
    width: int = Field(description="Pixels, after turning upright.")
    height: int
    frames: int = Field(description="How many were read.")
    fps: float = Field(description="Frames per second, on average.")
    seconds: float = Field(description="Time of the last frame; the first one's is 0.")
    rotation: int = Field(description="Degrees clockwise by which the stored pictures were turned.")
    codec: str
    reader: str = Field(description="What decoded it: `PyAV`, `OpenCV` or `Pillow`.")
    cuts: list[int] = Field(description="Frames that begin a new shot.")
    first: int = Field(0, description="Number in the file of the first frame that was read, which is frame 0 here.")
    notes: list[str] = Field([], description="What reading met: a file that breaks off, a rate that varies, ...")


class ClipPersonRecord(Record):
    index: int = Field(description="Of the folder face-N; in the order of appearance.")
    spans: list[tuple[int, int]] = Field(description="First and last frame of every uninterrupted stay.")
    seen: int = Field(description="Frames in which the face was seen.")
    bridged: int = Field(description="Frames in which it was hidden for a moment, and told from before and after.")
    tracks: int = Field(description="Of how many pieces its course was put together.")
    best: list[int] = Field(description="Frames that texture and identity come from, best first.")
    looks: int = Field(description="How many frames were asked who it is.")
    confidence: list[float] = Field(description="0..1 of every frame of the video; 0 where it is not seen.")
    rest: dict[str, float] = Field({}, description="By unit: what is fitted of the face at rest and counts as nothing.")
    span: dict[str, float] = Field({}, description="By unit: what is fitted above that where it counts as 1; else 1.")
    files: list[str] = Field(description="In its folder.")
    error: str | None = None


class ClipRecord(Record):
    """clip.json: a video and the people in it."""

    format: int = FORMAT
    tronie: str
    name: str
    video: VideoRecord
    camera: CameraRecord
    people: list[ClipPersonRecord]
    films: list[str] = Field([], description="Beside the people's folders.")
    by_hand: list[tuple[Literal["merge", "split"], int, int]] = Field(
        [],
        description="How people were put right by hand, in order: `merge`, person, person; `split`, person, frame.",
    )
