"""Prints a CycloneDX document of the packages that the function is built of, from `cargo metadata` on standard input."""

import json
import sys


class Packages:
    """The packages that a program is built of, by their ids."""

    def __init__(self, metadata, program):
        self.packages = {package["id"]: package for package in metadata["packages"]}
        self.nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
        [self.root] = [id for id, package in self.packages.items() if package["name"] == program]
        self.found, to_do = set(), [self.root]
        while to_do:
            id = to_do.pop()
            if id not in self.found:
                self.found.add(id)
                to_do += self.dependencies(id)

    def dependencies(self, id):
        return sorted(
            dependency["pkg"] for dependency in self.nodes[id]["deps"]
            if any(kind["kind"] != "dev" for kind in dependency["dep_kinds"])
        )


def main():
    program = Packages(json.load(sys.stdin), "s3-cloudfront-invalidator")
    packages, root, dependencies = program.packages, program.root, program.dependencies

    def purl(id):
        return f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}"

    def component(id, kind):
        package = packages[id]
        entry = {"type": kind, "bom-ref": purl(id), "name": package["name"], "version": package["version"],
                 "purl": purl(id)}
        if package.get("license"):
            entry["licenses"] = [{"expression": " OR ".join(map(str.strip, package["license"].split("/")))}]
        return entry

    libraries = sorted(program.found - {root}, key=purl)
    json.dump({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(root, "application")},
        "components": [component(id, "library") for id in libraries],
        "dependencies": [
            {"ref": purl(id), "dependsOn": sorted(map(purl, dependencies(id)))} for id in [root, *libraries]
        ],
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
