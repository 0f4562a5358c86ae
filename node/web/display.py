"""How somebody wants pages shown: colours, size of the letters, language. Kept in a cookie."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fastapi import Request, Response

from node.http import session

COOKIE = "zhitong_display"
YEAR = 365 * 24 * 3600

THEMES = {"auto": "跟随系统", "light": "浅色", "dark": "深色", "contrast": "高对比度"}
TEXTS = {"normal": "标准字号", "large": "大字", "largest": "特大字"}
LANGUAGES = {"zh": "中文", "en": "English"}


@dataclass(frozen=True)
class Display:
    """What was chosen."""

    theme: str = "auto"
    text: str = "normal"
    language: str = "zh"


def of(request: Request) -> Display:
    """What the visitor chose; what cannot be read counts as not chosen."""
    return chosen(*request.cookies.get(COOKIE, "").split("."))


def chosen(theme: str = "", text: str = "", language: str = "", *_: str) -> Display:
    """These choices, as far as there are such."""
    found = Display()
    if theme in THEMES:
        found = replace(found, theme=theme)
    if text in TEXTS:
        found = replace(found, text=text)
    if language in LANGUAGES:
        found = replace(found, language=language)
    return found


def keep(request: Request, response: Response, wanted: Display) -> None:
    """Remember it in this browser for a year."""
    response.set_cookie(
        COOKIE,
        f"{wanted.theme}.{wanted.text}.{wanted.language}",
        max_age=YEAR,
        httponly=True,
        secure=session.web_settings(request).secure_cookies,
        samesite="strict",
    )
