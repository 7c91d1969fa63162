"""The commands of `2Dface_to_3Dface`, kept: its arguments are turned into those of `tronie run`.

python main.py                                  (the folder ./data_input into ./data_output)
python main.py --type image --test_img_path ./a.jpg --objface_results_dir ./out
python main.py --engine deep3d --enhance sparnet-hd --enhance-for all
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(given: list[str]) -> list[str]:
    """The `tronie` arguments for the old ones; wrong usage ends the process with 2."""
    parser = argparse.ArgumentParser(
        prog="main.py",
        allow_abbrev=False,
        description="The older arguments for `tronie run`.",
        epilog="All options of `tronie run` may be given as well (tronie run --help).",
    )
    parser.add_argument(
        "--type", choices=("image", "dir"), help="one photo, or a folder of photos (default: what is there)"
    )
    parser.add_argument(
        "--test_img_path", default="./data_input", metavar="PATH", help="the photo or the folder (default: %(default)s)"
    )
    parser.add_argument(
        "--objface_results_dir",
        default="./data_output",
        metavar="OUT",
        help="where the results go (default: %(default)s)",
    )
    parser.add_argument(
        "--flat", action=argparse.BooleanOptionalAction, default=True, help="also one .obj a face in OUT itself"
    )
    old, more = parser.parse_known_args(given)
    path = Path(old.test_img_path)
    if old.type == "image" and path.is_dir():
        parser.error(f"{path} is a folder: use --type dir.")
    if old.type == "dir" and path.is_file():
        parser.error(f"{path} is a file: use --type image.")
    # `--` keeps a path that begins with a dash from being read as an option.
    flat = ["--flat"] if old.flat else []
    return ["run", "-o", old.objface_results_dir, *flat, *more, "--", old.test_img_path]


def main() -> None:
    new = arguments(sys.argv[1:])
    try:
        from tronie.cli import main as tronie
    except ImportError:
        sys.exit("main.py: tronie is not installed for this Python; run `pip install .` in this folder first.")
    tronie(new)


if __name__ == "__main__":
    main()
