"""Codecs: pictures, videos and glTF in, pictures and videos out."""
