"""The order of rooms: every import points downwards, so that there is no circle, and docs/design.md tells of all rooms.

All imports are read: at module level, inside functions, and those that are for type checkers only.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import DOCS, ROOT

PACKAGE = ROOT / "src" / "tronie"
ORDER = """
    version errors arrays outputs
    geometry settings
    runtime
    formats color
    head
    shells
    types
    io
    io.video
    raster
    stages.detect stages.landmarks
    stages.segment
    stages.enhance
    stages.fit
    stages.deep3d
    stages.texture
    stages.hair
    stages.lighting
    stages.portrait
    stages.finder stages.letterbox stages.quality stages.face_parts stages.colouring
    stages
    render
    importers.heads
    importers
    export
    pipelines
    pipelines.calibration pipelines.person pipelines.video
    api
    jobs
    service
    gui web
    cli
    tronie
"""
"""From the ground up. Those of one line do not import each other. Modules of the top folder and of `stages` stand by
their own names."""
LEVEL = {room: level for level, line in enumerate(ORDER.split("\n")) for room in line.split()}
MOST_ROOMS = 30
MEDIAN_LINES = 120, 300


def modules() -> dict[str, Path]:
    """By name below `tronie`; the package itself is ''."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()


def room_of(module: str) -> str:
    """The folder that a module lies in; of the top folder and of `stages` the module itself."""
    if module in ("", "__main__"):
        return "tronie"
    if MODULES[module].name == "__init__.py":
        return module
    folder = module.rpartition(".")[0]
    return module if folder in ("", "stages") else folder


def imports(module: str) -> Iterator[tuple[str, int]]:
    """The modules of the package that a module imports anywhere, with the lines."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}:{node.lineno}: relative imports are not read here"
            base = node.module or ""
            names = [f"{base}.{name.name}" for name in node.names]
        else:
            continue
        for name in names:
            top, _, rest = name.partition(".")
            if top == "tronie":
                yield (rest if rest in MODULES else rest.rpartition(".")[0]), node.lineno


EDGES = [(module, target, line) for module in sorted(MODULES) for target, line in imports(module) if target != module]


def test_every_room_has_its_place() -> None:
    assert {room_of(module) for module in MODULES} == set(LEVEL)


def test_imports_point_downwards() -> None:
    wrong = []
    for module, target, line in EDGES:
        above, below = room_of(module), room_of(target)
        if above != below and LEVEL[above] <= LEVEL[below]:
            wrong.append(f"{MODULES[module].relative_to(ROOT)}:{line}: {above} imports {below} ({target or 'tronie'})")
    assert not wrong, "\n" + "\n".join(wrong)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, target, _ in EDGES:
        graph[module].add(target)
    circles = [sorted(group) for group in strongly_connected(graph) if len(group) > 1]
    assert not circles


def test_rooms_and_files_have_a_size_to_find_ones_way_in() -> None:
    rooms = {path.parent for path in MODULES.values()}
    assert len(rooms) <= MOST_ROOMS
    # A package's `__init__` that only says what the room is counts for nothing, and would hide how long files are.
    lines = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES.values())
    assert MEDIAN_LINES[0] <= lines[len(lines) // 2] <= MEDIAN_LINES[1]


def test_the_design_tells_of_every_room() -> None:
    told = set(re.findall(r"`([\w/]+)/`", (DOCS / "design.md").read_text(encoding="utf-8")))
    folders = {path.parent.relative_to(PACKAGE).as_posix() for path in MODULES.values()} - {"."}
    assert folders <= told, sorted(folders - told)


@pytest.mark.parametrize(
    ("graph", "circles"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b"}, "b": {"a"}, "c": {"a", "d"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_circles_are_found(graph: dict[str, set[str]], circles: list[list[str]]) -> None:
    assert sorted(sorted(group) for group in strongly_connected(graph) if len(group) > 1) == circles


def strongly_connected(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of nodes that reach each other: of each node those it reaches and is reached by."""
    reach = {node: _reached(graph, node) for node in graph}
    left, groups = set(graph), []
    while left:
        node = min(left)
        group = {other for other in reach[node] if node in reach[other]} | {node}
        groups.append(group)
        left -= group
    return groups


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for target in graph[todo.pop()] - seen:
            seen.add(target)
            todo.append(target)
    return seen
