"""Runs the commands that docs/install.md gives for an installation by hand, unchanged, against moto.

Blocks that start with ```sh are run. Those that start with ```console are not: they need a build, or AWS itself.
"""

import os
import re
import sys
import zipfile
from pathlib import Path

import machine
from machine import ENVIRONMENT, ROOT, Failed, aws

# The values that the document leaves to its reader.
REGION = "eu-west-1"
BUCKETS = ("example-site", "example-shop")

# Where the document says to edit the rules, and what is added there: one pattern is then not enough.
EDIT = "generation=2\n"
MORE_RULES = """
  - name: site texts
    bucket: example-site
    prefix: public/texts/
    suffix: [.css, .html, .js, .json, .txt, .xml]
    invalidate: www
"""


def commands():
    text = (ROOT / "docs/install.md").read_text()
    blocks = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    # Blocks in a list are indented.
    script = "\n".join(re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks)
    assert script.count(EDIT) == 1
    return script.replace(EDIT, f"{EDIT}mv site/more.yaml site/rules/rules.yaml\n")


def with_more_rules(rules):
    """Inserts MORE_RULES at the end of the list of rules."""
    before, name, after = rules.partition("\ntests:")
    assert name
    return f"{before.rstrip()}\n{MORE_RULES}{name}{after}"


def check(condition, what):
    if not condition:
        raise Failed(f"by hand: {what}")
    print(f"  {what}")


def main():
    with machine.temporary_directory() as directory, machine.moto(Path(directory)) as moto:
        directory = Path(directory)
        environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": moto, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
        for bucket in BUCKETS:
            aws(environment, "s3api", "create-bucket", "--bucket", bucket,
                "--create-bucket-configuration", f"LocationConstraint={REGION}")

        # The working directory of the commands: the user's folder, and `aws` and `invalidator` on the path.
        site = directory / "site"
        (site / "rules").mkdir(parents=True)
        (site / "rules/rules.yaml").write_bytes((ROOT / "rules.yaml").read_bytes())
        more = with_more_rules((ROOT / "rules.yaml").read_text())
        (site / "more.yaml").write_text(more)
        (site / "function.zip").write_bytes(machine.empty_package())
        programs = directory / "programs"
        programs.mkdir()
        aws_cli = next(Path(place, "aws") for place in os.get_exec_path() if Path(place, "aws").exists())
        (programs / "aws").write_text(f'#!/bin/sh\nexec {aws_cli} --endpoint-url {moto} "$@"\n')
        (programs / "aws").chmod(0o755)
        (programs / "invalidator").symlink_to(machine.INVALIDATOR)
        before = set(directory.iterdir())
        environment["PATH"] = f"{programs}:{environment['PATH']}"
        machine.run(["sh", "-eu", "-c", commands()], environment, cwd=directory)

        schedule = aws(environment, "scheduler", "get-schedule", "--name", "s3-cloudfront-invalidator")
        check(schedule["Target"]["Input"] == '{"drain": {}}', "the schedule drains the queue")
        policy = aws(environment, "iam", "get-role-policy", "--role-name", "s3-cloudfront-invalidator",
                     "--policy-name", "s3-cloudfront-invalidator")["PolicyDocument"]
        actions = sorted(action for statement in policy["Statement"] for action in statement["Action"])
        check("cloudfront:CreateInvalidation" in actions, f"the role may do {', '.join(actions)}")
        rules = aws(environment, "events", "list-rules")["Rules"]
        names = sorted(rule["Name"] for rule in rules)
        check(names == [f"s3-cloudfront-invalidator-2-{part}" for part in range(1, len(names) + 1)] and len(names) > 1,
              f"the event rules of the changed rules: {', '.join(names)}")
        alarms = aws(environment, "cloudwatch", "describe-alarms")["MetricAlarms"]
        check(len(alarms) == 7 + 2 * len(names), f"{len(alarms)} alarms")
        check(set(directory.iterdir()) == before, "the commands leave no file outside of site/")
        versions = aws(environment, "lambda", "list-layer-versions", "--layer-name", "s3-cloudfront-invalidator-rules")
        versions = [version["LayerVersionArn"] for version in versions["LayerVersions"]]
        function = aws(environment, "lambda", "get-function-configuration",
                       "--function-name", "s3-cloudfront-invalidator")
        used = [layer["Arn"] for layer in function["Layers"]]
        contents = [aws(environment, "lambda", "get-layer-version", "--layer-name", "s3-cloudfront-invalidator-rules",
                        "--version-number", number)["Content"]["CodeSha256"] for number in ("1", "2")]
        with zipfile.ZipFile(site / "rules.zip") as layer:
            check(layer.read("rules.yaml").decode() == more and len(set(contents)) == 2, "the layers have the rules")
        check(len(versions) == 2 and used == versions[1:],
              f"the rules were changed by layer, and rolled back: {versions} → {used}")
    print("by hand: ok")


if __name__ == "__main__":
    os.chdir(machine.ROOT)
    try:
        main()
    except Failed as failed:
        sys.exit(str(failed))
