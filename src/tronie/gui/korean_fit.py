"""What is said about correcting a fit, and about the first minute, in Korean."""

from __future__ import annotations

FIT: dict[str, str] = {
    "&Edit": "편집(&E)",
    "Correct the fit": "맞춤 바로잡기",
    "Done": "완료",
    "Drag a point to where it belongs. A click holds it there, a right click lets it go.": (
        "점을 제자리로 끌어다 놓으세요. 누르면 그 자리에 고정되고, 오른쪽 버튼을 누르면 풀립니다."
    ),
    "Hold a point": "점 고정",
    "Let a point go": "점 풀기",
    "Let all points go": "모든 점 풀기",
    "Move a point": "점 옮기기",
    "Redo": "다시 실행",
    "Undo": "실행 취소",
}
