"""What is said about correcting a fit, and about the first minute, in Korean."""

from __future__ import annotations

FIT: dict[str, str] = {
    "&Edit": "편집(&E)",
    "1 person followed": "1명 추적함",
    "About tronie": "tronie 정보",
    "A whole expression at once": "표정 한꺼번에 바꾸기",
    "Both sides": "양쪽 함께",
    "Change the portrait": "초상 바꾸기",
    "Change the settings": "설정 바꾸기",
    "Move {what}": "{what} 움직이기",
    "No movement is called so.": "그런 이름의 움직임이 없습니다.",
    "Reset": "초기화",
    "The faces are being worked on …": "얼굴을 처리하는 중 …",
    "The photo's expression again; a double click on a slider brings that one back": (
        "사진의 표정으로 되돌립니다. 슬라이더를 두 번 누르면 그것만 되돌립니다."
    ),
    "What one side of the face does, the other does too": "얼굴 한쪽을 움직이면 다른 쪽도 같이 움직입니다",
    "Finding the face in each photo": "사진마다 얼굴을 찾는 중",
    "One head from the selected photos": "고른 사진들로 머리 하나 만들기",
    "Select several photos of one person in the list first (Ctrl or Shift and a click).": (
        "먼저 목록에서 한 사람의 사진을 여러 장 고르세요(Ctrl이나 Shift를 누르고 클릭)."
    ),
    "{name} and {n} more": "{name} 외 {n}개",
    "Compiling once on this machine, about 15 s …": "이 컴퓨터에서 한 번만 컴파일하는 중, 약 15초 …",
    "Correct the fit": "맞춤 바로잡기",
    "Done": "완료",
    "Reconstruct this frame first (Ctrl+R), then correct that.": ("먼저 이 프레임을 복원한 다음(Ctrl+R) 바로잡으세요."),
    "Correct the single photos, then open this head again.": ("사진을 하나씩 바로잡은 다음 이 머리를 다시 여세요."),
    "Drag points on the photo or on the head. A click holds one, a right click lets it go.": (
        "사진이나 머리 위의 점을 끌어다 놓으세요. 누르면 고정되고, 오른쪽 버튼을 누르면 풀립니다."
    ),
    "Drop photos, videos or folders here.": "사진, 비디오, 폴더를 여기에 끌어다 놓으세요.",
    "Faces of photos and videos as 3D heads": "사진과 비디오 속 얼굴을 3D 머리로",
    "Hold a point": "점 고정",
    "Let a point go": "점 풀기",
    "Let all points go": "모든 점 풀기",
    "Move a point": "점 옮기기",
    "Redo": "다시 실행",
    "Play or pause the clip, else turn the head round": "비디오 재생 또는 일시 정지, 아니면 머리 돌리기",
    "Take the selected photos from the list": "고른 사진을 목록에서 빼기",
    "Try it with a sample photo": "예제 사진으로 해 보기",
    "Undo": "실행 취소",
    "With Qt {version}. The licences of all models are listed under Models (Ctrl+M).": (
        "Qt {version} 사용. 모든 모델의 라이선스는 모델 창(Ctrl+M)에 있습니다."
    ),
}
