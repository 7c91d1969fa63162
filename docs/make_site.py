"""Build the documentation as a site: python -m docs.make_site [--serve]

The pages are those that the repository shows, with their links turned to one another: docs/, README.md (the first
page), CHANGELOG.md, CONTRIBUTING.md and LICENSES.md. The reference of commands, of Python and of records is made anew
from the code, so that it cannot be behind it. All goes to build/site/pages, and from there by mkdocs.yml to
build/site/html. A link to what the site does not have fails the build.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docs.make_reference import reference

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PAGES = ROOT / "build" / "site" / "pages"
MOVED = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"} | {
    "LICENSES.md": "licences.md"
}
"""Pages of the repository's root, and where the site has them."""
OTHER = "repository"
"""Folder of the site for files of the repository that a page links to: example photos, the Dockerfile."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
CODE = re.compile(r"(^```.*?^```|`[^`\n]+`)", re.MULTILINE | re.DOTALL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="show the pages in a browser, as they are now")
    parser.add_argument("--only-pages", action="store_true", help="write the pages, do not build the site")
    options = parser.parse_args()
    write_pages(PAGES)
    if not options.only_pages:
        command = [sys.executable, "-m", "mkdocs", *(["serve"] if options.serve else ["build", "--clean", "--strict"])]
        quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # Material's word on what comes after it
        sys.exit(subprocess.run(command, cwd=ROOT, env=quiet, check=False).returncode)


def write_pages(folder: Path) -> None:
    """All that the site is made of, into an emptied `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(DOCS / "images", folder / "images", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    shutil.copytree(DOCS / "schemas", folder / "schemas")
    for source in sources():
        place = folder / place_of(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(turned(source, folder), encoding="utf-8")
    for name, text in reference(ROOT / "docs" / "schemas").items():
        place = folder / "reference" / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")


def sources() -> list[Path]:
    """The pages that people write."""
    return [*(ROOT / name for name in MOVED), *sorted(DOCS.rglob("*.md"))]


def place_of(source: Path) -> str:
    """Where the site has a page or file of the repository."""
    name = source.relative_to(ROOT).as_posix()
    return MOVED.get(name) or (name.removeprefix("docs/") if name.startswith("docs/") else f"{OTHER}/{name}")


def turned(source: Path, folder: Path) -> str:
    """A page with its links leading to where the site has what they mean. What is neither a page nor a picture is
    copied, and what cannot be shown (the README of a folder of scripts) is named only."""
    here = Path(place_of(source)).parent

    def turn(link: re.Match[str]) -> str:
        picture, text, path, anchor = link[1], link[2], link[3], link[4] or ""
        target = (source.parent / path).resolve()
        inside = target.is_relative_to(ROOT) and target.is_file()
        if not inside or (target.suffix == ".md" and target not in pages):
            return text
        place = place_of(target)
        if target not in pages and not (folder / place).exists():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(target, folder / place)
        up = "../" * len(here.parts)
        return f"{picture}[{text}]({up}{place}{anchor})"

    pages = set(sources())
    parts = CODE.split(source.read_text(encoding="utf-8"))
    # Code in a link's text splits it; put marks in its place while links are looked at.
    codes = parts[1::2]
    text = "".join(part if index % 2 == 0 else f"\0{index // 2}\0" for index, part in enumerate(parts))
    return re.sub(r"\0(\d+)\0", lambda mark: codes[int(mark[1])], LINK.sub(turn, text))


if __name__ == "__main__":
    main()
