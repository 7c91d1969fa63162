"""What is said of restoring old photos in Korean."""

from __future__ import annotations

RESTORE: dict[str, str] = {
    "Restore this photo …": "이 사진 복원 …",
    "Restore {name}": "{name} 복원",
    "Open a photo first.": "먼저 사진을 여세요.",
    "Mend damage": "손상 메우기",
    "Keep its tone": "색조 그대로 두기",
    "Invent colours": "색 입히기 (지어낸 색)",
    "Fill in scratches, folds, stains and dust": "긁힘, 접힌 자국, 얼룩, 먼지를 메웁니다",
    "Leave the photo its sepia or other tone": "세피아 같은 색조를 그대로 둡니다",
    "Only of grey photos: the colours are invented": "흑백 사진에만 해당하며, 색은 지어낸 것입니다",
    "Save": "저장",
    "Damage filled in: {share} %.": "손상을 메운 넓이: {share} %.",
    "Faded tones taken back.": "바랜 색조를 되살렸습니다.",
    "Its one tone taken away.": "한 가지 색조를 뺐습니다.",
    "Grain lightened.": "입자를 줄였습니다.",
    "Faces with detail that the photo does not show: {n}.": "사진에 없는 세부를 더한 얼굴: {n}개.",
    "Enlarged {n} times.": "{n}배 확대했습니다.",
    "The colours are invented.": "색은 지어낸 것입니다.",
    "Not coloured: the photo has colours of its own.": "색을 입히지 않았습니다: 사진에 원래 색이 있습니다.",
    "Nothing had to be restored.": "복원할 것이 없었습니다.",
    "Finding damage": "손상된 곳을 찾는 중",
    "Taking fading back": "바랜 색을 되살리는 중",
    "Lightening the grain": "입자를 줄이는 중",
    "Inventing colours": "색을 입히는 중",
    "Job": "작업",
    "Heads": "머리",
    "Restore": "복원",
    "Heads and portraits, or old photos restored.": "머리와 초상을 만들거나 오래된 사진을 복원합니다.",
    "Fill in scratches, folds, stains and dust; auto: of photos that are grey, toned or faded.": (
        "긁힘, 접힌 자국, 얼룩, 먼지를 메웁니다. 자동: 흑백이거나 색조가 있거나 바랜 사진만."
    ),
    "Of an old photo: leave it its sepia or other tone.": "오래된 사진: 세피아 같은 색조를 그대로 둡니다.",
    "Of a grey photo: also one in colours, which are invented.": "흑백 사진: 지어낸 색을 입힌 것도 만듭니다.",
    "Always": "항상",
    "Damage": "손상",
    "Tone": "색조",
    "Colour": "색",
}
