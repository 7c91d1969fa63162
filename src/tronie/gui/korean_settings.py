"""Korean for the names and explanations of settings, and for the units of expression."""

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
    "Min face": "최소 얼굴",
    "Max faces": "최대 얼굴 수",
    "Min score": "최소 점수",
    "Min presence": "최소 확신도",
    "Mode": "방식",
    "Faces": "대상 얼굴",
    "Small": "작은 얼굴",
    "All": "모두",
    "Limit": "한계",
    "Subdivide": "세분화",
    "Engine": "엔진",
    "Mat": "MAT 파일",
    "Focal": "초점 거리",
    "Warp": "변형",
    "Albedo": "알베도",
    "Detail": "세부 질감",
    "Base color": "기본 색상",
    "Identity": "동일성",
    "Rig": "리그",
    "Lod": "간략 모델",
    "Maps": "맵",
    "Usd": "USD",
    "Flat": "한 폴더에",
    "Morph normals": "모프 법선",
    "Every": "검색 간격",
    "Smooth": "부드럽게",
    "Bridge": "가림 이어 주기",
    "Fps": "초당 프레임",
    "Overlay": "겹쳐 보기",
    "Talking": "말하는 머리",
    "Seconds": "초",
    "Only": "단계 제한",
}

EXPLANATIONS: dict[str, str] = {
    "Which face detector to use; dlib is an extra.": "사용할 얼굴 검출기입니다. dlib은 추가 설치가 필요합니다.",
    "Smallest face, pixels of the photo.": "가장 작은 얼굴의 크기(사진 픽셀)입니다.",
    "Keep at most this many, largest first; 0 keeps all.": "큰 얼굴부터 최대 이만큼 남깁니다. 0이면 모두 남깁니다.",
    "Least score of a detection.": "검출로 인정하는 최소 점수입니다.",
    "Super-resolution of small faces, of none, of all; NAME: by that net.": (
        "초해상도를 작은 얼굴에만, 없음, 모두에 적용합니다. 이름을 고르면 그 신경망을 씁니다."
    ),
    "A face is small below this, pixels between the eyes.": "두 눈 사이가 이 픽셀 수보다 작으면 작은 얼굴입니다.",
    "Which faces are enhanced: the small ones, or all.": "개선할 얼굴: 작은 얼굴만, 또는 모두.",
    "Also one .obj a face beside the photos' folders, coloured by vertex.": (
        "얼굴마다 정점 색이 있는 .obj 하나를 사진 폴더 옆에도 저장합니다."
    ),
    "Also save the whole photo with its enhanced faces.": "개선한 얼굴을 넣은 사진 전체도 저장합니다.",
    "Which head model: tronie's own, or one that you calibrated.": "tronie의 머리 모델이나 직접 보정한 모델입니다.",
    "Levels of smooth subdivision of the exported mesh; default: 1, 0 for a mesh that is fine.": (
        "내보내는 메시를 부드럽게 세분하는 단계입니다. 기본값은 1, 이미 고운 메시는 0입니다."
    ),
    "What reconstructs faces; deep3d wants your files.": "얼굴을 복원하는 엔진입니다. deep3d는 파일이 필요합니다.",
    "Also save what deep3d found as the .mat files of both official programs.": (
        "deep3d의 결과를 두 공식 프로그램의 .mat 파일로도 저장합니다."
    ),
    "Focal length in pixels; default: EXIF, else a guess.": "초점 거리(픽셀)입니다. 기본값은 EXIF, 없으면 추정합니다.",
    "Let the head meet the landmarks with a small smooth warp.": "머리를 조금 부드럽게 변형해 특징점에 맞춥니다.",
    "Side of the square texture, pixels.": "정사각형 텍스처의 한 변(픽셀)입니다.",
    "Also save the texture without the photo's light, and that light.": "사진의 빛을 뺀 텍스처와 그 빛도 저장합니다.",
    "Also save wrinkles and pores as a normal map, and put it into head.glb.": (
        "주름과 모공을 노멀 맵으로 저장하고 head.glb에 넣습니다."
    ),
    "What head.glb and head.obj wear.": "head.glb와 head.obj에 입히는 색입니다.",
    "Height of the frontal portrait, pixels.": "정면 초상의 높이(픽셀)입니다.",
    "Cut of the portrait; passport: 35 x 45.": "초상의 잘라내기입니다. 여권: 35 x 45.",
    "Behind the portrait: the photo's, blurred, or the head alone before grey.": (
        "초상의 배경: 사진의 배경, 흐린 배경, 또는 회색 앞의 머리만."
    ),
    "Of the portrait: the photo's, at rest, or a file for each.": "초상의 표정: 사진의 표정, 무표정, 또는 둘 다.",
    "Of the portrait: the photo's, or into the camera.": "초상의 시선: 사진의 시선, 또는 카메라를 봅니다.",
    "Measure how alike portrait and photo are; wants the extra identity.": (
        "초상과 사진이 얼마나 닮았는지 잽니다. 추가 패키지 identity가 필요합니다."
    ),
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
    "Morph targets of head.glb turn the normals too; 2.7 MB more.": (
        "head.glb의 모프 타깃이 법선도 움직입니다. 2.7 MB 늘어납니다."
    ),
    "Of a video: frames between two searches of the whole picture for faces.": (
        "동영상: 화면 전체에서 얼굴을 찾는 간격(프레임)입니다."
    ),
    "Of a video: how much jitter is smoothed away; 0: none.": "동영상: 떨림을 줄이는 정도입니다. 0이면 그대로 둡니다.",
    "Of a video: seconds for which a hidden face is still there.": "동영상: 가려진 얼굴을 이어 주는 시간(초)입니다.",
    "Of a video made of picture files: how many a second.": "그림 파일로 된 동영상의 초당 프레임 수입니다.",
    "Of a video: the heads drawn over it, overlay.mp4.": "동영상: 머리를 겹쳐 그린 overlay.mp4를 만듭니다.",
    "Of a video: each head from the front as a film, frontal.mp4.": (
        "동영상: 정면에서 본 머리의 영상 frontal.mp4를 만듭니다."
    ),
    "Of a video or camera: only so many seconds.": "동영상이나 카메라: 이 시간(초)만 처리합니다.",
    "Only the bare head, the head with its texture, or the portrait.": (
        "전부보다 적게: 맨 머리만, 텍스처를 입힌 머리, 또는 초상만."
    ),
    "Least certainty of the landmark net; below it the detector decides.": (
        "랜드마크 신경망의 최소 확신도; 그보다 낮으면 검출기가 결정합니다."
    ),
}
"""Of `tronie.settings`, word for word: a test compares them."""
