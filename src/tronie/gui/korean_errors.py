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
    "{path} has {found} megapixels and at most {most} are read; make it smaller, or allow more (Settings, Read).": (
        "{path}은(는) {found}메가픽셀이고 {most}까지만 읽습니다. 사진을 줄이거나 설정의 읽기에서 한도를 올리세요."
    ),
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
}
