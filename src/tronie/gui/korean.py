"""The window's words in Korean."""

KOREAN: dict[str, str] = {}
