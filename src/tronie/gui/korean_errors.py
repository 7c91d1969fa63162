"""What can go wrong, in Korean: the sentences of `tronie.gui.plain`."""

from __future__ import annotations

ERRORS: dict[str, str] = {
    "{path} does not exist.": "{path}이(가) 없습니다.",
    "{path} is empty (0 bytes).": "{path}은(는) 빈 파일입니다(0바이트).",
    "{path} is empty.": "{path}은(는) 비어 있습니다.",
    "{path} is a folder, not a photo.": "{path}은(는) 사진이 아니라 폴더입니다.",
    "{path} is not an ordinary file.": "{path}은(는) 일반 파일이 아닙니다.",
    "{path} is not a photo, or of a kind that is not supported.": (
        "{path}은(는) 사진이 아니거나 지원하지 않는 형식입니다."
    ),
    "{path} is damaged or cut off: no picture in it can be read.": (
        "{path}이(가) 손상되었거나 잘려 있어 그림을 읽을 수 없습니다."
    ),
    "{path} is damaged or cut off.": "{path}이(가) 손상되었거나 잘려 있습니다.",
    "{path} is damaged, or a TIFF of a kind that is not supported.": (
        "{path}이(가) 손상되었거나 지원하지 않는 종류의 TIFF입니다."
    ),
    "{path} is of a kind that is not read ({kind}).": "{path}은(는) 읽지 않는 형식입니다({kind}).",
    "{path} needs more memory than there is.": "{path}에 필요한 메모리가 부족합니다.",
    "{path} cannot be opened as a video: it is cut off, damaged or none.": (
        "{path}을(를) 비디오로 열 수 없습니다. 잘렸거나 손상되었거나 비디오가 아닙니다."
    ),
    "{path} cannot be opened as a moving picture.": "{path}을(를) 움직이는 그림으로 열 수 없습니다.",
    "{path} cannot be read: {why}.": "{path}을(를) 읽을 수 없습니다: {why}.",
    "{path} changed while it was worked on; run this again.": "{path}이(가) 작업 중에 바뀌었습니다. 다시 해 주세요.",
    "Cannot write {path}: it exists already; tick “Replace what was exported before”.": (
        "{path}에 쓸 수 없습니다. 이미 있으니 “전에 내보낸 것을 바꾸기”를 켜세요."
    ),
    "Cannot write {path}: the disk is full.": "{path}에 쓸 수 없습니다. 디스크가 가득 찼습니다.",
    "Cannot write {path}: no permission.": "{path}에 쓸 수 없습니다. 권한이 없습니다.",
    "Cannot write {path}: the disk is read-only.": "{path}에 쓸 수 없습니다. 디스크가 읽기 전용입니다.",
    "Cannot write {path}: it is a file, not a folder.": "{path}에 쓸 수 없습니다. 폴더가 아니라 파일입니다.",
    "Cannot read {path}: {why}.": "{path}을(를) 읽을 수 없습니다: {why}.",
    "Cannot write {path}: {why}.": "{path}에 쓸 수 없습니다: {why}.",
    "Camera {number} cannot be opened; is it connected, and used by no other program?": (
        "카메라 {number}을(를) 열 수 없습니다. 연결되어 있고 다른 프로그램이 쓰고 있지 않은지 확인하세요."
    ),
    "No frame of {path} is shown.": "{path}의 프레임이 표시되어 있지 않습니다.",
    "There is no face in any of the photos.": "어느 사진에도 얼굴이 없습니다.",
    "There is no face in {path}.": "{path}에 얼굴이 없습니다.",
    "There is not enough memory for it.": "메모리가 부족합니다.",
    "Only a face that was fitted can be corrected.": "맞춤이 끝난 얼굴만 바로잡을 수 있습니다.",
    "Only fits of tronie's own engine can be corrected.": "tronie 자체 엔진의 맞춤만 바로잡을 수 있습니다.",
    "The clip could not be done.": "비디오를 처리하지 못했습니다.",
    "The faces make no person: {why}.": "얼굴들이 한 사람이 되지 않습니다: {why}.",
    "The model {name} is not installed; put its file at {path} (Models says where it is from).": (
        "모델 {name}이(가) 설치되어 있지 않습니다. 파일을 {path}에 두세요(출처는 모델 창에 있습니다)."
    ),
    "The model file {path} is missing; {what}.": "모델 파일 {path}이(가) 없습니다. {what}.",
    "The model file {path} is damaged; {what}.": "모델 파일 {path}이(가) 손상되었습니다. {what}.",
    "{path} is a {kind} file, which is not read; {advice} first.": (
        "{path}은(는) 읽지 않는 {kind} 파일입니다. 먼저 {advice}."
    ),
    "{path} is a JPEG XL; pip install 'tronie[jxl]' reads it.": (
        "{path}은(는) JPEG XL입니다. pip install 'tronie[jxl]'을 하면 읽을 수 있습니다."
    ),
    "{path} has no pixels ({size}).": ("{path}에 픽셀이 없습니다({size})."),
    "{path} has {found} megapixels and at most {most} are read{kind}; make it smaller, or allow "
    "more (Settings, Read).": (
        "{path}은(는) {found}메가픽셀이고 {most}까지만 읽습니다{kind}. 사진을 줄이거나 설정의 읽기에서 한도를 올리세요."
    ),
    "{path} is a file of {found} GB and at most {most} GB are read of its kind; make it smaller, or "
    "allow more (Settings, Read).": (
        "{path}은(는) {found}GB이고 이 형식은 {most}GB까지만 읽습니다. 파일을 줄이거나 설정의 읽기에서 한도를 올리세요."
    ),
    "{path} has frames without pixels ({size}).": ("{path}의 프레임에 픽셀이 없습니다({size})."),
    "{path} has frames of {found} megapixels and at most {most} are read; make it smaller.": (
        "{path}의 프레임은 {found}메가픽셀이고 {most}까지만 읽습니다. 비디오를 줄이세요."
    ),
    "{path} moves on {size} pixels, and moving pictures are read up to {most} megapixels; make it smaller.": (
        "{path}은(는) {size}픽셀이고 움직이는 그림은 {most}메가픽셀까지 읽습니다. 줄여 주세요."
    ),
    "{path} cannot be opened as a video ({why}).": ("{path}을(를) 비디오로 열 수 없습니다({why})."),
    "{path} holds no pictures, only sound or data.": ("{path}에는 그림이 없고 소리나 데이터만 있습니다."),
    "{path} holds pictures of a kind that is not read.": ("{path}에는 읽지 않는 형식의 그림이 있습니다."),
    "{path} holds no picture that can be read: it is damaged, or its frames have over {most}.": (
        "{path}에 읽을 수 있는 그림이 없습니다. 손상되었거나 프레임이 {most}을 넘습니다."
    ),
    "{path} holds no picture that can be read.": ("{path}에 읽을 수 있는 그림이 없습니다."),
    "{path} gives OpenCV no picture, as interlaced videos do; pip install 'tronie[video]' reads them.": (
        "OpenCV가 인터레이스 비디오처럼 {path}에서 그림을 얻지 못합니다. pip install 'tronie[video]'를 하면 읽습니다."
    ),
    "{path} holds no picture that OpenCV can read; pip install 'tronie[video]' reads more kinds, as AV1.": (
        "{path}에 OpenCV가 읽을 수 있는 그림이 없습니다. pip install 'tronie[video]'를 하면 AV1 같은 형식도 읽습니다."
    ),
    "{path}: no picture is there.": ("{path}: 그림이 없습니다."),
    "{path} is there already; tick “Replace what was exported before” to write it anew.": (
        "{path}이(가) 이미 있습니다. 새로 쓰려면 “전에 내보낸 것을 바꾸기”를 켜세요."
    ),
    "{path} does not tell how the head moves.": ("{path}에는 머리의 움직임이 없습니다."),
    "{path} holds a head of another model.": ("{path}에는 다른 모델의 머리가 있습니다."),
    "Another run is writing into {path}; wait until it has ended, or choose another folder.": (
        "다른 작업이 {path}에 쓰고 있습니다. 끝날 때까지 기다리거나 다른 폴더를 고르세요."
    ),
    "Another run has held {path} for ten minutes; look whether it has stopped, or choose another folder.": (
        "다른 작업이 {path}을(를) 10분째 붙들고 있습니다. 멈춘 것인지 확인하거나 다른 폴더를 고르세요."
    ),
    "OpenCV writes no {kind} here: pip install 'tronie[video]', or choose gif or png.": (
        "이 OpenCV는 {kind}을(를) 쓰지 못합니다. pip install 'tronie[video]'를 하거나 gif나 png를 고르세요."
    ),
    "Two people are needed to be made one.": ("하나로 합치려면 두 사람이 있어야 합니다."),
    "Persons {one} and {other} are seen at the same time (at {when}).": (
        "사람 {one}와(과) {other}은(는) 같은 때({when})에 보입니다."
    ),
    "Person {number} is seen on one side of this frame only.": ("사람 {number}은(는) 이 프레임의 한쪽에서만 보입니다."),
    "No frame before shows the face well enough for a head.": (
        "이 앞에는 머리를 만들 만큼 얼굴이 잘 보이는 프레임이 없습니다."
    ),
    "No frame from here on shows the face well enough for a head.": (
        "여기부터는 머리를 만들 만큼 얼굴이 잘 보이는 프레임이 없습니다."
    ),
    "There is no person {number}.": ("사람 {number}이(가) 없습니다."),
    "no frame shows the face well enough": ("얼굴이 잘 보이는 프레임이 없습니다"),
    "The engine {name} works on photos only; choose another one for videos (Settings, Fit).": (
        "엔진 {name}은(는) 사진에만 쓸 수 있습니다. 비디오에는 다른 것을 고르세요(설정, 맞춤)."
    ),
    "There is no {what} called {name}; choose one of {names}.": (
        "{name}(이)라는 {what}은(는) 없습니다. 다음에서 고르세요: {names}."
    ),
    "There is no {what} called {name}; there are {names}.": ("{name}(이)라는 {what}은(는) 없습니다. 있는 것: {names}."),
    "The model file {path} cannot be loaded; {what}.": ("모델 파일 {path}을(를) 불러올 수 없습니다. {what}."),
    "{path} has been imported already, from {origin}; tick “Replace what was exported before”.": (
        "{path}은(는) {origin}에서 이미 가져왔습니다. “전에 내보낸 것을 바꾸기”를 켜세요."
    ),
    "There is no kind {name} to import; there are {names}.": ("{name} 종류는 가져올 수 없습니다. 있는 것: {names}."),
    "usd-core could not pack head.usdz.": ("usd-core가 head.usdz를 만들지 못했습니다."),
    "{files} left out, of kinds that are not read: {kinds}.": ("{files} 제외됨, 읽지 않는 형식: {kinds}."),
    "{files} left out: {kinds}.": ("{files} 제외됨: {kinds}."),
    "{seen} of {count} photos show a face.": ("사진 {count}장 가운데 {seen}장에 얼굴이 있습니다."),
    "Not made when the clip was tracked: {names}. Track it again with them.": (
        "비디오를 추적할 때 만들지 않은 것: {names}. 이것을 켜고 다시 추적하세요."
    ),
    "cut by the border of the photo: {share} % of the landmarks lie outside": (
        "사진 가장자리에 잘림: 특징점의 {share}%가 밖에 있음"
    ),
    "small: {n} pixels between the eyes, detail is mostly guessed": (
        "작음: 두 눈 사이가 {n}픽셀이라 세부는 대부분 추정됨"
    ),
    "blurred: little detail for the texture": ("흐림: 텍스처에 쓸 세부가 적음"),
    "very dark: the face reaches {n} of 255, colours are mostly noise": (
        "아주 어두움: 얼굴이 255 가운데 {n}까지만 밝아 색은 대부분 잡음"
    ),
    "burnt out: {share} % of the face is clipped, its colours are lost": (
        "너무 밝음: 얼굴의 {share}%가 하얗게 날아가 색이 없음"
    ),
    "the mouth is covered: shape and texture there are guessed": ("입이 가려짐: 그곳의 모양과 텍스처는 추정됨"),
    "the eyes are covered: shape, gaze and texture there are guessed": (
        "눈이 가려짐: 그곳의 모양, 시선, 텍스처는 추정됨"
    ),
    "the left eye is covered: shape, gaze and texture there are guessed": (
        "왼쪽 눈이 가려짐: 그곳의 모양, 시선, 텍스처는 추정됨"
    ),
    "the right eye is covered: shape, gaze and texture there are guessed": (
        "오른쪽 눈이 가려짐: 그곳의 모양, 시선, 텍스처는 추정됨"
    ),
    "probably no photograph: a drawing, a painting or a sculpture": ("사진이 아닐 수 있음: 그림이나 조각"),
    "turned by {n} degrees: the far side is invented": ("{n}도 돌아감: 먼 쪽은 만들어 낸 것"),
    "turned by {n} degrees: most of the portrait is invented": ("{n}도 돌아감: 초상 대부분은 만들어 낸 것"),
    "tilted up by {n} degrees": ("위로 {n}도 기울어짐"),
    "tilted down by {n} degrees": ("아래로 {n}도 기울어짐"),
    "the head does not follow the landmarks well": ("머리가 특징점을 잘 따르지 않음"),
    "probably a child: the irises would be {n} mm wide on an adult's head": (
        "어린이일 수 있음: 어른의 머리라면 홍채 너비가 {n}mm"
    ),
    "enhanced by {share} % only: {why}": ("{share}%만 개선됨: {why}"),
    "not enhanced: {why}": ("개선되지 않음: {why}"),
    "There is no model called {name}; Models lists them.": (
        "{name}(이)라는 모델은 없습니다. 모델 창에 목록이 있습니다."
    ),
    "{path} is a link to {place}, which is not there.": "{path}이(가) 가리키는 {place}이(가) 없습니다.",
    "{path} is a link that leads back to itself.": "{path}은(는) 자기 자신을 가리키는 링크입니다.",
    "{path} is damaged or cut off ({why}).": "{path}이(가) 손상되었거나 잘려 있습니다({why}).",
    "1 person was left out: no frame shows the face well enough": "1명 제외됨: 얼굴이 잘 보이는 프레임이 없음",
    "{n} people were left out: no frame shows the face well enough": ("{n}명 제외됨: 얼굴이 잘 보이는 프레임이 없음"),
    "frames of {size} pixels were reduced to {smaller}": "{size}픽셀 프레임을 {smaller}(으)로 줄였음",
}
