"""Makes an archive whose bytes depend on the contents and on SOURCE_DATE_EPOCH only.

    archive.py zip|tar ARCHIVE NAME=FILE …
"""

import gzip
import io
import os
import sys
import tarfile
import time
import zipfile
from pathlib import Path


def members(arguments):
    for argument in sorted(arguments):
        name, _, file = argument.partition("=")
        file = Path(file)
        yield name, file.read_bytes(), 0o755 if os.access(file, os.X_OK) else 0o644


def write_zip(path, arguments, epoch):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data, mode in members(arguments):
            info = zipfile.ZipInfo(name, time.gmtime(epoch)[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            # Unix, a regular file: Lambda runs the bootstrap by its mode.
            info.create_system = 3
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, data)


def write_tar(path, arguments, epoch):
    with Path(path).open("wb") as file, gzip.GzipFile("", "wb", 9, file, epoch) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, data, mode in members(arguments):
                info = tarfile.TarInfo(name)
                info.size, info.mode, info.mtime = len(data), mode, epoch
                archive.addfile(info, io.BytesIO(data))


if __name__ == "__main__":
    kind, path, *arguments = sys.argv[1:]
    write = {"zip": write_zip, "tar": write_tar}[kind]
    write(path, arguments, int(os.environ["SOURCE_DATE_EPOCH"]))
