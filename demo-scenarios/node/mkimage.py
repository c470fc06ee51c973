#!/usr/bin/python3
"""Builds a container image of one layer from files, as an archive that `ctr image import` reads.

    mkimage.py OUT.tar NAME:TAG ENTRY SRC=DST...

ENTRY is the image's command, split at spaces. Each file SRC lands at DST, executable, and the shared libraries that it needs
land where they are here. SRC `busybox-links` adds a link in /bin for each of busybox's applets. The same input gives the same
image, byte for byte.
"""

import hashlib
import io
import json
import subprocess
import sys
import tarfile

# Mount points that a runtime or a pod's volumes need in an image that has nothing else.
FOLDERS = ("bin", "dev", "etc", "host", "lib", "lib64", "proc", "root", "sys", "tmp", "usr")


def libraries(program: str) -> list[str]:
    """The files that a program's dynamic linker would load, itself included; none for a static program."""
    listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]


def layer(files: list[str]) -> bytes:
    """The image's file system as an uncompressed archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:

        def add(path: str, kind: bytes, data: bytes = b"", link: str = "") -> None:
            info = tarfile.TarInfo(path)
            info.type, info.mode, info.size, info.linkname = kind, 0o755, len(data), link
            tar.addfile(info, io.BytesIO(data))

        def add_file(source: str, target: str) -> None:
            with open(source, "rb") as file:
                add(target, tarfile.REGTYPE, data=file.read())

        for folder in FOLDERS:
            add(folder, tarfile.DIRTYPE)
        needed: dict[str, None] = {}  # a set that keeps its order
        for pair in files:
            source, target = pair.split("=", 1)
            if source == "busybox-links":
                for applet in subprocess.check_output(["busybox", "--list"], text=True).split():
                    if applet != "busybox":
                        add("bin/" + applet, tarfile.SYMTYPE, link="busybox")
            else:
                add_file(source, target)
                needed.update(dict.fromkeys(libraries(source)))
        for library in needed:
            add_file(library, library.lstrip("/"))
    return out.getvalue()


def main() -> None:
    if len(sys.argv) < 5 or any("=" not in pair for pair in sys.argv[4:]):
        sys.exit(__doc__)
    out, name, entry, *files = sys.argv[1:]
    blob = layer(files)
    config = json.dumps({
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[subprocess.check_output(["uname", "-m"], text=True).strip()],
        "os": "linux",
        "config": {"Cmd": entry.split(), "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(blob).hexdigest()]},
        "history": [{}],
    }).encode()
    config_name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(out, "w") as tar:
        for path, data in ((config_name, config), ("layer.tar", blob), ("manifest.json", manifest)):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


main()
