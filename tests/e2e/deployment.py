"""Deploys what `deploy/generate` makes of a folder of rules to moto: packages it with the AWS CLI, applies the SAM
transform, then creates a CloudFormation stack."""

import io
import json
import os
import string
import zipfile

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

import machine
from machine import ENVIRONMENT, INVALIDATOR, REGION, ROOT, aws, empty_package, run

# Not created, since moto would run the function in Docker: pipeline.py polls the queue with the mapping's settings.
MAPPING = "AWS::Lambda::EventSourceMapping"
SCHEDULE = "AWS::Scheduler::Schedule"
# What moto would have to run; the test does it instead, with the settings of the template.
NOT_RUN = (MAPPING, SCHEDULE, "AWS::Lambda::EventInvokeConfig")


def create_site(site, distributions):
    """Creates a folder with the rules of these tests."""
    (site / "rules").mkdir(parents=True)
    text = (ROOT / "tests/e2e/rules.yaml").read_text()
    rules = string.Template(text.replace("$'", "$$'")).substitute(distributions)
    (site / "rules/rules.yaml").write_text(rules)
    # moto stores the package and does not run it.
    (site / "function.zip").write_bytes(empty_package())


def package(environment, site, template="template.yaml"):
    """Generates and packages a folder. Returns the path of the packaged template."""
    run([ROOT / "deploy/generate", site], ENVIRONMENT | {"INVALIDATOR": str(INVALIDATOR)})
    packaged = site / "packaged.yaml"
    aws(environment, "cloudformation", "package", "--template-file", str(site / template),
        "--s3-bucket", "e2e-packages", "--output-template-file", str(packaged))
    return packaged


def transformed(document, parameters):
    """Returns the template after the SAM transform."""
    os.environ["AWS_DEFAULT_REGION"] = REGION
    loader = ManagedPolicyLoader(None)
    # The template uses no managed policy, so none has to be looked up.
    loader.load = dict
    return transform(document, dict(parameters), loader)


class Deployment:
    """A stack of template.yaml or direct.yaml of deploy/sam."""

    def __init__(self, environment, directory, name, distributions, parameters, template="template.yaml"):
        self.environment, self.name, self.parameters, self.template = environment, name, parameters, template
        self.site = directory / f"site-{name}"
        self.rules = self.site / "rules/rules.yaml"
        create_site(self.site, distributions)
        self.apply("create-stack", "CREATE_COMPLETE")

    def change_rules(self, text):
        """Deploys other rules."""
        self.rules.write_text(text)
        self.apply("update-stack", "UPDATE_COMPLETE")

    def apply(self, command, status):
        environment, name, parameters = self.environment, self.name, self.parameters
        packaged = package(environment, self.site, self.template)
        self.document = yaml_parse(packaged.read_text())
        resources = transformed(self.document, parameters)
        # moto cannot change the layers of a function in a stack.
        for resource in resources["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                assert len(resource["Properties"].pop("Layers")) == 1
        properties = {r["Type"]: r["Properties"] for r in resources["Resources"].values()}
        self.mapping, self.schedule = properties.get(MAPPING), properties.get(SCHEDULE)
        self.variables = properties["AWS::Lambda::Function"]["Environment"]["Variables"]
        self.drains = parameters.get("Mode", "drain") == "drain"
        resources["Resources"] = {n: r for n, r in resources["Resources"].items() if r["Type"] not in NOT_RUN}
        body = self.site / "transformed.json"
        body.write_text(json.dumps(resources, indent=1))
        # moto splits a list parameter that is passed, but not its default.
        lists = {
            key: parameter["Default"] for key, parameter in self.document["Parameters"].items()
            if parameter["Type"] == "CommaDelimitedList" and "Default" in parameter
        }
        arguments = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in (lists | parameters).items()
        ]
        aws(environment, "cloudformation", command, "--stack-name", name, "--capabilities", "CAPABILITY_IAM",
            "--template-body", f"file://{body}", "--parameters", json.dumps(arguments))
        stack = aws(environment, "cloudformation", "describe-stacks", "--stack-name", name)["Stacks"][0]
        assert stack["StackStatus"] == status, stack
        assert self.layer() == {"rules.yaml": self.rules.read_bytes()}, self.layer()
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        assert not self.mapping or self.mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def layer(self):
        """Returns the names and contents of the files of the deployed layer, which are below /opt."""
        document = self.document["Resources"]
        [layer] = [r for r in document.values() if r["Type"] == "AWS::Serverless::LayerVersion"]
        bucket, _, key = layer["Properties"]["ContentUri"].removeprefix("s3://").partition("/")
        body = machine.client(self.environment, "s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def invalidator(self, *arguments, **options):
        command = [str(INVALIDATOR), "--rules", str(self.rules), *arguments]
        return run(command, ENVIRONMENT, **options)

    def batch_size(self):
        """The BatchSize of the event source mapping."""
        size = self.mapping["BatchSize"]
        return self.document["Parameters"][size["Ref"]]["Default"] if isinstance(size, dict) else int(size)
