"""Prints the licences of the packages that the function and the command line are built of, with their texts, from `cargo
metadata` on standard input; and those of musl and Zig, whose libraries the linker puts into the function."""

import json
import sys
from pathlib import Path

import ziglang
from sbom import Packages

FILES = ("LICENSE*", "LICENCE*", "COPYING*", "COPYRIGHT*", "NOTICE*", "license*")


def main():
    metadata = json.load(sys.stdin)
    programs = [Packages(metadata, name) for name in ("s3-cloudfront-invalidator", "invalidator")]
    packages = [programs[0].packages[id] for id in set().union(*(program.found for program in programs))]
    # Those of the workspace are in LICENSE.
    packages = sorted((package for package in packages if package["source"]), key=lambda p: (p["name"], p["version"]))
    for package in packages:
        print(f"{package['name']} {package['version']}: {package['license']}")
    texts = {}
    for package in packages:
        folder = Path(package["manifest_path"]).parent
        for file in sorted({file for pattern in FILES for file in folder.glob(pattern) if file.is_file()}):
            texts.setdefault(file.read_text(errors="replace").strip(), []).append(f"{package['name']} {file.name}")
    zig = Path(ziglang.__file__).parent
    for name, file in (("musl", "lib/libc/musl/COPYRIGHT"), ("Zig", "LICENSE")):
        texts.setdefault((zig / file).read_text().strip(), []).append(name)
    for text, names in texts.items():
        print(f"\n{'-' * 80}\n{', '.join(names)}\n\n{text}")


if __name__ == "__main__":
    main()
