"""What is said about clips and lists, in Korean."""

from __future__ import annotations

CLIPS: dict[str, str] = {
    "1 person followed": "1명 추적함",
    "Export everybody in the clip": "비디오의 모든 사람 내보내기",
    "Export this person": "이 사람 내보내기",
    "Person": "사람",
    "Put right who is who": "누가 누구인지 바로잡기",
    "Somebody else from this frame on": "이 프레임부터 다른 사람",
    "Take the last change back": "마지막 변경 되돌리기",
    "The same person as": "같은 사람",
    "This portrait was read from its file: track the clip again for another.": (
        "이 초상은 파일에서 읽었습니다. 다른 초상을 만들려면 비디오를 다시 추적하세요."
    ),
    "&Clip": "비디오(&C)",
    "Brows": "눈썹",
    "Cheeks, nose, tongue": "볼, 코, 혀",
    "Choose curves to see them here.": "곡선을 고르면 여기에 보입니다.",
    "Click to go there. I and O mark the part that is played and tracked.": (
        "누르면 그곳으로 갑니다. I와 O로 재생하고 추적할 구간을 정합니다."
    ),
    "Curves": "곡선",
    "Eyes": "눈",
    "Hours, minutes, seconds and frames: here and at the end": "시, 분, 초, 프레임: 현재 위치와 끝",
    "Jaw": "턱",
    "Mouth": "입",
    "No curves": "곡선 없음",
    "No marks": "구간 표시 없애기",
    "Play or pause (Space)": "재생 또는 일시정지 (스페이스)",
    "The part begins here": "구간 시작",
    "The part begins here (I)": "구간 시작 (I)",
    "The part ends here": "구간 끝",
    "The part ends here (O)": "구간 끝 (O)",
    "Timeline": "시간줄",
    "Track marked part": "구간 추적",
    "Track the clip": "비디오 추적",
    "frame {n} of {count}": "프레임 {n} / {count}",
}
