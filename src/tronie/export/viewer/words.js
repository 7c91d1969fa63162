// What the viewer says, in the reader's language. Texts are named by their English; Korean agrees with the window's.

const LEFT = " (왼쪽)", RIGHT = " (오른쪽)";
const BOTH = {
  "Eye blink": "눈 감기", "Eye look down": "아래 보기", "Eye look in": "안쪽 보기", "Eye look out": "바깥쪽 보기",
  "Eye look up": "위 보기", "Eye squint": "눈 가늘게 뜨기", "Eye wide": "눈 크게 뜨기", "Mouth smile": "미소",
  "Mouth frown": "입꼬리 내리기", "Mouth dimple": "보조개", "Mouth stretch": "입 옆으로 늘이기",
  "Mouth press": "입술 누르기", "Mouth lower down": "아랫입술 내리기", "Mouth upper up": "윗입술 올리기",
  "Brow down": "눈썹 내리기", "Brow outer up": "눈썹 바깥쪽 올리기", "Cheek squint": "볼 올리기",
  "Nose sneer": "코 찡그리기",
};

/** @type {Record<string, string>} */
export const KOREAN = {
  ...Object.fromEntries(Object.entries(BOTH).flatMap(([name, word]) => [[`${name} left`, word + LEFT], [`${name} right`, word + RIGHT]])),
  "Jaw forward": "턱 내밀기", "Jaw left": "턱 왼쪽으로", "Jaw right": "턱 오른쪽으로", "Mouth close": "입 다물기",
  "Mouth funnel": "입술 동그랗게", "Mouth pucker": "입술 오므리기", "Mouth left": "입 왼쪽으로",
  "Mouth right": "입 오른쪽으로", "Mouth roll lower": "아랫입술 말기", "Mouth roll upper": "윗입술 말기",
  "Mouth shrug lower": "아랫입술 밀어 올리기", "Mouth shrug upper": "윗입술 밀어 올리기",
  "Brow inner up": "눈썹 안쪽 올리기", "Cheek puff": "볼 부풀리기", "Tongue out": "혀 내밀기",
  "Show": "표시", "Textured": "텍스처", "Clay": "점토", "Wireframe": "와이어프레임", "Provenance": "출처",
  "Uncertainty": "불확실성", "Light": "조명", "Photo": "사진", "Soft": "부드럽게", "Studio": "스튜디오", "Rim": "역광",
  "Parts": "부분", "Hair": "머리카락", "Covering": "머리쓰개", "Glasses": "안경", "Lashes": "속눈썹", "Bust": "흉상", "Neck": "목",
  "Expression": "표정", "Photo's": "사진의 표정", "At rest": "무표정", "Smile": "미소", "Wink": "윙크",
  "Jaw open": "입 벌리기", "Find a movement: jaw, brow …": "움직임 찾기: jaw, brow …", "Brows": "눈썹", "Eyes": "눈",
  "Jaw": "턱", "Mouth": "입", "Cheeks, nose, tongue": "볼, 코, 혀", "Gaze": "시선", "Left, right": "왼쪽, 오른쪽",
  "Down, up": "아래, 위", "Reset": "초기화", "No movement has such a name.": "그런 이름의 움직임이 없습니다.",
  "Front": "정면", "Look from the front again": "다시 정면에서 보기", "Turn": "회전", "Turn the head round": "머리 돌리기",
  "Take a picture": "사진 찍기", "Save a picture of this view": "지금 보이는 모습을 그림으로 저장", "Controls": "조절",
  "Animation": "움직임", "Play": "재생", "Pause": "일시정지", "Time": "시간", "{time} of {all} s": "{all}초 중 {time}초",
  "Stop": "정지",
  "Seen": "보임", "Mirrored": "좌우 복사", "Filled": "채움", "Synthetic": "합성", "Enhanced": "화질 개선",
  "Statistical": "통계",
  "seen in the photo": "사진에서 보임",
  "mirrored from the other side": "반대쪽에서 좌우 복사",
  "filled in smoothly, or with hair": "매끄럽게, 또는 머리카락으로 채움",
  "the library's own: eyes, teeth, tongue": "라이브러리의 눈, 이, 혀",
  "seen, with detail added": "보임, 세부 추가",
  "the likeliest skin": "가장 그럴듯한 피부",
  "Where the colours come from": "색의 출처",
  "How unsure the surface is": "표면의 불확실성",
  "0 to {mm} mm of standard deviation": "표준편차 0~{mm} mm",
  "sure": "확실", "unsure": "불확실",
  "3D view": "3D 보기",
  "The head in 3D. Arrow keys turn it, plus and minus bring it nearer, 0 looks from the front.":
    "3D 머리입니다. 화살표 키로 돌리고, +와 -로 확대하거나 축소하고, 0으로 정면에서 봅니다.",
  "Choose a face": "얼굴 고르기", "Face {n}": "얼굴 {n}", "Portrait": "초상", "The portrait from the front": "정면 초상",
  "Head": "머리", "Loading …": "읽는 중 …", "This head cannot be shown.": "이 머리를 표시할 수 없습니다.",
  "This browser cannot draw in 3D.": "이 브라우저는 3D를 그릴 수 없습니다.",
  "Made with tronie": "tronie로 만듦",
  "Drag to turn, scroll or pinch to come nearer": "끌어서 돌리고, 휠이나 두 손가락으로 확대",
};

/** @typedef {((text: string, values?: Record<string, string | number>) => string) & {language: string}} Words */

/**
 * A function that says a text in a language, with `{name}` replaced.
 * @param {string} [language] `ko` or `en`; the browser's without @returns {Words}
 */
export function words(language = globalThis.navigator?.language ?? "en") {
  const short = language.toLowerCase().startsWith("ko") ? "ko" : "en";
  const known = short === "ko" ? KOREAN : {};
  const say = (text, values = {}) =>
    (known[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  return Object.assign(say, { language: short });
}
