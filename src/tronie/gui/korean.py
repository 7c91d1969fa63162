"""The window's words in Korean. What is missing here stays English: see `tronie.gui.i18n`."""

from __future__ import annotations

from tronie.gui.korean_clips import CLIPS
from tronie.gui.korean_errors import ERRORS
from tronie.gui.korean_fit import FIT
from tronie.gui.korean_restore import RESTORE
from tronie.gui.korean_settings import SETTINGS

# Korean for the names and explanations of settings, and for the units of expression.

_LEFT, _RIGHT = " (왼쪽)", " (오른쪽)"
_BOTH = {
    "Eye blink": "눈 감기",
    "Eye look down": "아래 보기",
    "Eye look in": "안쪽 보기",
    "Eye look out": "바깥쪽 보기",
    "Eye look up": "위 보기",
    "Eye squint": "눈 가늘게 뜨기",
    "Eye wide": "눈 크게 뜨기",
    "Mouth smile": "미소",
    "Mouth frown": "입꼬리 내리기",
    "Mouth dimple": "보조개",
    "Mouth stretch": "입 옆으로 늘이기",
    "Mouth press": "입술 누르기",
    "Mouth lower down": "아랫입술 내리기",
    "Mouth upper up": "윗입술 올리기",
    "Brow down": "눈썹 내리기",
    "Brow outer up": "눈썹 바깥쪽 올리기",
    "Cheek squint": "볼 올리기",
    "Nose sneer": "코 찡그리기",
}
UNITS: dict[str, str] = {
    **{f"{name} left": word + _LEFT for name, word in _BOTH.items()},
    **{f"{name} right": word + _RIGHT for name, word in _BOTH.items()},
    "Jaw forward": "턱 내밀기",
    "Jaw left": "턱 왼쪽으로",
    "Jaw right": "턱 오른쪽으로",
    "Mouth close": "입 다물기",
    "Mouth funnel": "입술 동그랗게",
    "Mouth pucker": "입술 오므리기",
    "Mouth left": "입 왼쪽으로",
    "Mouth right": "입 오른쪽으로",
    "Mouth roll lower": "아랫입술 말기",
    "Mouth roll upper": "윗입술 말기",
    "Mouth shrug lower": "아랫입술 밀어 올리기",
    "Mouth shrug upper": "윗입술 밀어 올리기",
    "Brow inner up": "눈썹 안쪽 올리기",
    "Cheek puff": "볼 부풀리기",
    "Tongue out": "혀 내밀기",
}
"""Left and right are the subject's own."""
NAMES: dict[str, str] = {
    "Detector": "검출기",
    "Sheet": "한눈에 보기",
    "Mode": "방식",
    "Faces": "대상 얼굴",
    "Small": "작은 얼굴",
    "All": "모두",
    "Engine": "엔진",
    "MAT": "MAT 파일",
    "Focal": "초점 거리",
    "Outline": "윤곽선",
    "Albedo": "알베도",
    "Detail": "세부 질감",
    "Identity": "동일성",
    "Rig": "리그",
    "LOD": "간략 모델",
    "Maps": "맵",
    "USD": "USD",
    "In one folder": "한 폴더에",
    "Smooth": "부드럽게",
    "Overlay": "겹쳐 보기",
    "Seconds": "초",
    "Start": "시작",
    "Only": "단계 제한",
    "Outputs": "만들 파일",
    "Read": "읽기",
    "Compute": "계산 장치",
    "Device": "장치",
    "CPU": "CPU",
    "CUDA": "CUDA",
    "Core ML": "Core ML",
    "DirectML": "DirectML",
    "OpenVINO": "OpenVINO",
    "GLB": "GLB",
    "HTML": "HTML",
    "OBJ": "OBJ",
    "PLY": "PLY",
    "Deep3D": "Deep3D",
    "Enhanced photo": "개선한 사진",
    "Sources": "사진별 출처",
    "Motion": "움직임",
    "Overlay film": "겹쳐 보기 영상",
    "Talking film": "말하는 머리 영상",
}
EXPLANATIONS: dict[str, str] = {
    "Refuse larger photos; default: 120, baseline JPEG 1000.": (
        "이보다 큰 사진은 읽지 않습니다. 기본값은 120, 기본 JPEG은 1000입니다."
    ),
    "Which face detector to use; dlib is an extra.": "사용할 얼굴 검출기입니다. dlib은 추가 설치가 필요합니다.",
    "Smallest face, pixels of the photo.": "가장 작은 얼굴의 크기(사진 픽셀)입니다.",
    "Keep at most this many, largest first; 0 keeps all.": "큰 얼굴부터 최대 이만큼 남깁니다. 0이면 모두 남깁니다.",
    "Least score of a detection.": "검출로 인정하는 최소 점수입니다.",
    "Super-resolution of small faces, of none, of all; NAME: by that net.": (
        "초해상도를 작은 얼굴에만, 없음, 모두에 적용합니다. 이름을 고르면 그 신경망을 씁니다."
    ),
    "A face is small below this, pixels between the eyes.": "두 눈 사이가 이 픽셀 수보다 작으면 작은 얼굴입니다.",
    "Which faces are enhanced: the small ones, or all.": "개선할 얼굴: 작은 얼굴만, 또는 모두.",
    "Crisp, where nothing speaks against it, or always as the face most likely was.": (
        "어긋나는 것이 없으면 선명하게, 또는 언제나 가장 그럴듯한 모습 그대로."
    ),
    "Of a person: let the other photos help restore small faces.": (
        "인물: 같은 사람의 다른 사진으로 작은 얼굴의 복원을 돕습니다."
    ),
    "Also one .obj a face beside the photos' folders, coloured by vertex.": (
        "얼굴마다 정점 색이 있는 .obj 하나를 사진 폴더 옆에도 저장합니다."
    ),
    "Also save the whole photo with its enhanced faces.": "개선한 얼굴을 넣은 사진 전체도 저장합니다.",
    "Which head model: tronie's own, or one that you calibrated.": "tronie의 머리 모델이나 직접 보정한 모델입니다.",
    "Levels of smooth subdivision of the exported mesh; default: 1, 0 for a mesh that is fine.": (
        "내보내는 메시를 부드럽게 세분하는 단계입니다. 기본값은 1, 이미 고운 메시는 0입니다."
    ),
    "Neck and shoulders below the head, in the photo's clothes.": "사진의 옷을 입힌 목과 어깨를 머리 아래에 붙입니다.",
    "What reconstructs faces; deep3d wants your files.": "얼굴을 복원하는 엔진입니다. deep3d는 파일이 필요합니다.",
    "Also save what deep3d found as the .mat files of both official programs.": (
        "deep3d의 결과를 두 공식 프로그램의 .mat 파일로도 저장합니다."
    ),
    "Focal length in pixels; default: EXIF, else a guess.": "초점 거리(픽셀)입니다. 기본값은 EXIF, 없으면 추정합니다.",
    "Let the head meet the landmarks with a small smooth warp.": "머리를 조금 부드럽게 변형해 특징점에 맞춥니다.",
    "Let the outline of a turned face before the background refine the head.": (
        "배경 앞에 드러난 돌린 얼굴의 윤곽선으로 머리를 다듬습니다."
    ),
    "Deep folds of old skin as relief of the head, or none.": "깊은 주름을 머리에 새기거나 새기지 않습니다.",
    "Hair as a mesh of its own; scalp: painted on the head; none: bald skin.": (
        "머리카락을 별도의 메시로 만듭니다. scalp는 머리에 그리고 none은 맨머리로 둡니다."
    ),
    "Glasses go, or become a mesh of their own.": "안경을 지우거나 별도의 메시로 만듭니다.",
    "Lashes, a mesh that moves with the lids; or none.": "눈꺼풀과 함께 움직이는 속눈썹 메시를 만듭니다.",
    "Side of the square texture, pixels; auto: 2048, 1024 where a face has few of its own.": (
        "정사각형 텍스처의 한 변(픽셀)입니다. 자동이면 2048이고, 픽셀이 적은 얼굴은 1024입니다."
    ),
    "Also save the texture without the photo's light, and that light.": "사진의 빛을 뺀 텍스처와 그 빛도 저장합니다.",
    "Also save wrinkles and pores as a normal map, and put it into head.glb.": (
        "주름과 모공을 노멀 맵으로 저장하고 head.glb에 넣습니다."
    ),
    "What head.glb and head.obj wear.": "head.glb와 head.obj에 입히는 색입니다.",
    "Height of the frontal portrait, pixels; auto: 1024, 512 where a face has few of its own.": (
        "정면 초상의 높이(픽셀)입니다. 자동이면 1024이고, 픽셀이 적은 얼굴은 512입니다."
    ),
    "Cut of the portrait; passport: 35 x 45.": "초상의 잘라내기입니다. 여권: 35 x 45.",
    "Behind the portrait: the photo's, blurred, the head alone before grey; or none at all.": (
        "초상의 배경: 사진의 배경, 흐린 배경, 회색 앞의 머리만, 또는 배경 없음."
    ),
    "Of the portrait: the photo's, at rest, or a file for each.": "초상의 표정: 사진의 표정, 무표정, 또는 둘 다.",
    "Of the portrait: the photo's, or into the camera.": "초상의 시선: 사진의 시선, 또는 카메라를 봅니다.",
    "Measure how alike portrait and photo are.": ("초상과 사진이 얼마나 닮았는지 잽니다."),
    "Joints in head.glb: neck, head, jaw, both eyes.": "head.glb의 관절: 목, 머리, 턱, 두 눈.",
    "Also head_lod1.glb and head_lod2.glb, with about 8,000 and 2,000 triangles.": (
        "삼각형이 약 8,000개와 2,000개인 head_lod1.glb, head_lod2.glb도 만듭니다."
    ),
    "Also how unsure the surface is, and where colours come from, as pictures.": (
        "표면의 불확실성과 색의 출처도 그림으로 저장합니다."
    ),
    "Also head.usdz, for USD and AR viewers; usd-core is an extra.": (
        "USD와 AR 뷰어를 위한 head.usdz도 만듭니다. usd-core 추가 설치가 필요합니다."
    ),
    "Also head.html, a page with the head in 3D that opens without a network and can be mailed.": (
        "3D 머리를 보여 주는 head.html도 만듭니다. 네트워크 없이 열리고 메일로 보낼 수 있습니다."
    ),
    "Morph targets of head.glb turn the normals too; 2.7 MB more.": (
        "head.glb의 모프 타깃이 법선도 움직입니다. 2.7 MB 늘어납니다."
    ),
    "Of a video: frames between two searches of the whole picture for faces.": (
        "동영상: 화면 전체에서 얼굴을 찾는 간격(프레임)입니다."
    ),
    "Of a video: how much jitter is smoothed away; 0: none.": "동영상: 떨림을 줄이는 정도입니다. 0이면 그대로 둡니다.",
    "Of a video: count units from each person's own rest to his own range.": (
        "동영상: 표정 값을 각 사람의 평소 표정에서 그 사람의 범위까지로 셉니다."
    ),
    "Of a video: seconds for which a hidden face is still there.": "동영상: 가려진 얼굴을 이어 주는 시간(초)입니다.",
    "Of a video made of picture files: how many a second.": "그림 파일로 된 동영상의 초당 프레임 수입니다.",
    "Of a video: the heads drawn over it, overlay.mp4.": "동영상: 머리를 겹쳐 그린 overlay.mp4를 만듭니다.",
    "Of a video: each head from the front as a film, frontal.mp4.": (
        "동영상: 정면에서 본 머리의 영상 frontal.mp4를 만듭니다."
    ),
    "Where nets run; auto: a graphics card where one is set up, else the processor.": (
        "신경망을 실행하는 장치입니다. auto는 설정된 그래픽 카드를, 없으면 프로세서를 씁니다."
    ),
    "Of a video: from this second on.": "동영상: 이 시간(초)부터 처리합니다.",
    "Of a video or camera: only so many seconds.": "동영상이나 카메라: 이 시간(초)만 처리합니다.",
    "Only the bare head, the head with its texture, or the portrait.": (
        "전부보다 적게: 맨 머리만, 텍스처를 입힌 머리, 또는 초상만."
    ),
    "Least certainty of the landmark net; below it the detector decides.": (
        "랜드마크 신경망의 최소 확신도; 그보다 낮으면 검출기가 결정합니다."
    ),
    "What is written: names of outputs.": "저장할 결과물의 이름입니다.",
    "The head as glTF, with its texture and the 52 expressions.": "텍스처와 52개 표정이 있는 glTF 머리입니다.",
    "The head with the photo's expression, and its texture.": "사진의 표정을 한 머리와 그 텍스처입니다.",
    "The same with a colour for each vertex.": "정점마다 색이 있는 같은 머리입니다.",
    "With the engine deep3d: its own mesh.": "deep3d 엔진: 그 엔진의 메시입니다.",
    "The texture, without loss.": "손실 없는 텍스처입니다.",
    "Where each texel comes from.": "텍셀마다 색의 출처입니다.",
    "The portrait from the front, and where its pixels come from.": "정면 초상과 픽셀마다의 출처입니다.",
    "Of an enhanced face: its crop before and after, as it most likely was, and how far off that may be.": (
        "개선한 얼굴: 개선 전과 후의 그림, 가장 그럴듯한 모습, 그것이 얼마나 어긋날 수 있는지."
    ),
    "The fit drawn over the photo.": "사진 위에 겹쳐 그린 결과입니다.",
    "All faces at a glance.": "모든 얼굴을 한눈에 봅니다.",
    "Of a person: which photo each texel is from.": "인물: 텍셀마다 어느 사진에서 왔는지입니다.",
    "Of a video: how the heads move, as tables.": "동영상: 머리의 움직임을 표로 저장합니다.",
}
"""Of `tronie.settings` and `tronie.outputs`, word for word: a test compares them."""


KOREAN: dict[str, str] = {
    **NAMES,
    **UNITS,
    **EXPLANATIONS,
    **SETTINGS,
    **CLIPS,
    **ERRORS,
    **FIT,
    **RESTORE,
    "Beside": "나란히",
    "Camera": "카메라",
    "Drawing the film": "영상을 그리는 중",
    "Drop photos, videos or folders here, or press Ctrl+O.": "사진, 동영상이나 폴더를 여기에 놓거나 Ctrl+O를 누르세요.",
    "Finding out who is who": "사람을 구별하는 중",
    "Follow everybody from the first frame to the last, and write heads, motion and films": (
        "첫 프레임부터 끝까지 모든 사람을 추적해 머리, 움직임, 영상을 저장합니다"
    ),
    "Writing the files": "파일을 쓰는 중",
    "Following the faces": "얼굴을 추적하는 중",
    "Making the heads": "머리를 만드는 중",
    "Nothing": "없음",
    "Person {n}": "사람 {n}",
    "The camera has ended.": "카메라가 끝났습니다.",
    "The photo beside the head, which is turned as there": "머리 옆에 사진을 놓고 머리를 사진처럼 돌립니다",
    "The work ended unexpectedly, perhaps for want of memory. Try again.": (
        "작업이 예기치 않게 끝났습니다. 메모리가 부족했을 수 있습니다. 다시 시도하세요."
    ),
    "Reconstruct this frame, or track the whole clip.": "이 장면을 복원하거나 전체를 추적하세요.",
    "Track whole clip": "전체 추적",
    "Waiting for the camera …": "카메라를 기다리는 중 …",
    "seen in {share} % of the frames": "프레임의 {share} %에서 보임",
    "{n} people followed": "{n}명 추적함",
    "&File": "파일(&F)",
    "&Help": "도움말(&H)",
    "&View": "보기(&V)",
    "0 to {mm} mm of standard deviation": "표준편차 0~{mm} mm",
    "1 face": "얼굴 1개",
    "After": "후",
    "All files": "모든 파일",
    "At rest": "무표정",
    "Before": "전",
    "Beside them": "추가 파일",
    "Cancel": "취소",
    "Cancelled.": "취소했습니다.",
    "Cancelled; nothing was written.": "취소했습니다. 저장된 것이 없습니다.",
    "Choose …": "선택 …",
    "Colours": "색상",
    "Commercial use": "상업적 이용",
    "Copy portrait": "초상 복사",
    "Default": "기본값",
    "Drag head.glb from here into another program": "여기서 head.glb를 다른 프로그램으로 끌어 놓으세요",
    "Drag with the right button in the picture, or with Ctrl, to move the light.": (
        "그림에서 오른쪽 단추나 Ctrl을 누른 채 끌면 조명이 움직입니다."
    ),
    "Enhanced": "화질 개선",
    "Enhancing small faces": "작은 얼굴의 화질을 높이는 중",
    "Export": "내보내기",
    "Export all faces of the photo": "사진의 모든 얼굴 내보내기",
    "Export into": "내보낼 폴더",
    "Export this face": "이 얼굴 내보내기",
    "Face {n}": "얼굴 {n}",
    "Face {n}: {stage} …": "얼굴 {n}: {stage} …",
    "Files": "파일",
    "Find a movement: jaw, brow …": "움직임 찾기: jaw, brow …",
    "Finding eyes, nose and mouth": "눈, 코, 입을 찾는 중",
    "Finding faces": "얼굴을 찾는 중",
    "Fitting the head": "머리 모양을 맞추는 중",
    "Front": "정면",
    "General": "일반",
    "Guessing the camera": "카메라를 추정하는 중",
    "Head": "머리",
    "Heads appear here.": "머리가 여기에 나타납니다.",
    "Import a file …": "파일 가져오기 …",
    "Import a model": "모델 가져오기",
    "Importing {name} …": "{name} 가져오는 중 …",
    "Installed": "설치됨",
    "Into": "폴더",
    "Keyboard shortcuts": "단축키",
    "Left, right": "왼쪽, 오른쪽",
    "Licence": "라이선스",
    "Light": "조명",
    "Loading the models": "모델을 읽는 중",
    "Look from the front again (Home, or a double click)": "다시 정면에서 보기 (Home 또는 두 번 누르기)",
    "Looking for photos …": "사진을 찾는 중 …",
    "Making the portrait": "초상을 만드는 중",
    "Making the portrait …": "초상을 만드는 중 …",
    "Models": "모델",
    "Models that may not come with tronie: download one yourself, then import it here.": (
        "tronie에 포함할 수 없는 모델은 직접 내려받아 여기서 가져오세요."
    ),
    "Models …": "모델 …",
    "Name": "이름",
    "Neutral": "무표정",
    "Next face": "다음 얼굴",
    "No face was found.": "얼굴을 찾지 못했습니다.",
    "Open folder": "폴더 열기",
    "Open folder …": "폴더 열기 …",
    "Open photos": "사진 열기",
    "Open photos …": "사진 열기 …",
    "Painting the texture": "텍스처를 만드는 중",
    "Photo": "사진",
    "Photo's": "사진의 표정",
    "Photos and videos": "사진과 비디오",
    "Portrait": "초상",
    "Preparing the head …": "머리를 준비하는 중 …",
    "Previous face": "이전 얼굴",
    "Previous or next face; in the 3D view: turn the head": "이전 또는 다음 얼굴, 3D 보기에서는 머리 돌리기",
    "Quit": "끝내기",
    "Reading the photo": "사진을 읽는 중",
    "Reading {name} …": "{name} 읽는 중 …",
    "Recent": "최근 항목",
    "Replace what was exported before": "전에 내보낸 것을 바꾸기",
    "Select a face in the photo.": "사진에서 얼굴을 고르세요.",
    "Settings": "설정",
    "Settings …": "설정 …",
    "Show": "표시",
    "Space": "스페이스",
    "Building the hair": "머리카락을 만드는 중",
    "Telling hair from skin": "머리카락과 피부를 가려내는 중",
    "Taking the light out": "조명을 없애는 중",
    "The portrait is in the clipboard.": "초상을 클립보드에 복사했습니다.",
    "The portrait to the clipboard (Ctrl+Shift+C)": "초상을 클립보드로 복사 (Ctrl+Shift+C)",
    "The settings ask for no portrait (Settings, General).": "설정에서 초상을 만들지 않게 되어 있습니다 (설정, 일반).",
    "There is nothing to export yet.": "아직 내보낼 것이 없습니다.",
    "This face could not be finished: {error}": "이 얼굴을 끝내지 못했습니다: {error}",
    "This face is large enough: nothing had to be enhanced.": "얼굴이 충분히 커서 개선할 것이 없습니다.",
    "Tools": "도구",
    "Turn": "회전",
    "Turn the head round": "머리 돌리기",
    "Turn the head round (Space)": "머리 돌리기 (스페이스)",
    "What it is": "설명",
    "Whole photo": "사진 전체",
    "Without the photo's expression": "사진의 표정 없이",
    "Writing …": "저장하는 중 …",
    "Written to {path}": "{path}에 저장했습니다",
    "Zoom in": "확대",
    "Zoom out": "축소",
    "allowed": "허용",
    "not allowed": "금지",
    "with tronie": "tronie에 포함",
    "yes, not calibrated": "예, 보정 안 됨",
    "From": "출처",
    "{files}, from {origin}": "{files}, 출처: {origin}",
    "no": "아니요",
    "yes": "예",
    "{factor} times enlarged by {name}.": "{name}(으)로 {factor}배 확대했습니다.",
    "{name} is installed; its licence: {licence}.": "{name}을(를) 설치했습니다. 라이선스: {licence}.",
    "{n} faces": "얼굴 {n}개",
    "{path} is not there yet.": "{path}이(가) 아직 없습니다.",
    # Names of modes, lights, presets, provenance and colours.
    "Textured": "텍스처",
    "Clay": "점토",
    "Wireframe": "와이어프레임",
    "Provenance": "출처",
    "Uncertainty": "불확실성",
    "Normals": "법선",
    "Studio": "스튜디오",
    "Rim": "역광",
    "Soft": "부드럽게",
    "Smile": "미소",
    "Wink": "윙크",
    "Jaw open": "입 벌리기",
    "Seen": "보임",
    "Mirrored": "좌우 복사",
    "Filled": "채움",
    "Synthetic": "합성",
    "Statistical": "통계",
    "System": "시스템",
    "Dark": "어둡게",
    # Settings.
    "Detect": "검출",
    "Landmarks": "특징점",
    "Enhance": "화질 개선",
    "Fit": "맞춤",
    "Texture": "텍스처",
    "Hair": "머리카락",
    "Folds": "주름",
    "Bust": "흉상",
    "Glasses": "안경",
    "Lashes": "속눈썹",
    "Scalp": "두피",
    "Auto": "자동",
    "None": "없음",
    "Remove": "지우기",
    "Video": "비디오",
    "Crop": "자르기",
    "Background": "배경",
    "Expression": "표정",
    "Gaze": "시선",
    "Size": "크기",
    "Square": "정사각형",
    "Passport": "여권",
    "Keep": "그대로",
    "Blur": "흐리게",
    "Plain": "단색",
    "Level": "카메라 쪽",
    "Play": "재생",
    "Pause": "일시정지",
    "Reconstruct this frame": "이 장면 복원",
    "Previous frame": "이전 프레임",
    "Next frame": "다음 프레임",
}
