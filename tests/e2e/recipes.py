"""Runs the recipes for CDK and Terraform in docs/install.md, unchanged.

CDK: the stack has the resources of the packaged template. Terraform, if TERRAFORM_PLUGINS is set: the configuration is valid,
and plans the stack. It is not applied, since moto does not transform SAM templates.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

import deployment
import machine
from machine import ENVIRONMENT, ROOT, Failed

BUCKETS = ["example-site", "example-shop"]
TOPIC = "arn:aws:sns:eu-west-1:111122223333:alarms"

# A folder with Terraform's AWS provider, which has 700 MB and is not downloaded here.
PLUGINS = os.environ.get("TERRAFORM_PLUGINS")


def recipe(language):
    [text] = re.findall(f"^```{language}\n(.*?)^```$", (ROOT / "docs/install.md").read_text(), re.MULTILINE | re.DOTALL)
    return text


def normal(value):
    """Returns a template with the parameters of the recipe, and every function written in one way."""
    match value:
        case {"Ref": "Buckets"}:
            return BUCKETS
        case {"Ref": "AlarmTopic"}:
            return TOPIC
        case {"Fn::GetAtt": str(name)}:
            return {"Fn::GetAtt": name.split(".", 1)}
        case dict():
            members = {name: normal(member) for name, member in value.items()}
            if isinstance(value.get("DependsOn"), str):
                members["DependsOn"] = [value["DependsOn"]]
            return members
        case list():
            return [normal(element) for element in value]
    return value


def cdk(directory, packaged):
    (directory / "app.js").write_text(recipe("js"))
    # As `cdk synth` runs it.
    environment = ENVIRONMENT | {"CDK_OUTDIR": "out", "NODE_PATH": str(ROOT / "target/npm/node_modules")}
    machine.run(["node", "app.js"], environment, cwd=directory)
    file = directory / "out/s3-cloudfront-invalidator.template.json"
    machine.run(["cfn-lint", "--non-zero-exit-code", "error", file], ENVIRONMENT)
    stack, expected = (normal(json.loads(json.dumps(yaml_parse(path.read_text())))) for path in (file, packaged))
    for section in ("Transform", "Conditions", "Resources", "Outputs"):
        if stack[section] != expected[section]:
            raise Failed(f"CDK: {section}: expected {expected[section]}, found {stack[section]}")
    print(f"CDK: {len(stack['Resources'])} resources, as in the packaged template")


def terraform(environment, directory):
    if not PLUGINS or not shutil.which("terraform"):
        print("Terraform: NOT RUN, since there is no terraform on the path, or TERRAFORM_PLUGINS is not set")
        return
    (directory / "main.tf").write_text(recipe("hcl"))
    environment = environment | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}

    def run(*arguments, **options):
        return machine.run(["terraform", *arguments, "-no-color"], environment, cwd=directory, **options)

    run("init", f"-plugin-dir={PLUGINS}")
    run("fmt", "-check", "-diff")
    run("validate")
    # It asks the account for its id, and reads the template.
    planned = run("plan")
    if "Plan: 1 to add, 0 to change, 0 to destroy." not in planned:
        raise Failed(f"Terraform: {planned}")
    print("Terraform: valid, and plans one stack")


def main():
    with machine.temporary_directory() as directory, machine.moto(Path(directory)) as moto:
        directory = Path(directory)
        environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": moto}
        machine.client(environment, "s3").create_bucket(Bucket="e2e-packages")
        deployment.create_site(directory / "site", {"www": "E1EXAMPLE", "blog": "E2EXAMPLE"})
        packaged = deployment.package(environment, directory / "site")
        cdk(directory, packaged)
        terraform(environment, directory)
    print("recipes: ok")


if __name__ == "__main__":
    os.chdir(ROOT)
    try:
        main()
    except Failed as failed:
        sys.exit(f"recipes: {failed}")
