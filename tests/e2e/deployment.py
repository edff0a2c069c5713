"""The template, on moto: transformed as AWS transforms it, and created by CloudFormation."""

import json
import os
import shutil
import string

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from machine import ENVIRONMENT, INVALIDATOR, REGION, ROOT, aws, run

# moto would run the function in Docker. The test is the poller, with the settings of the template's mapping.
PLAYED = "AWS::Lambda::EventSourceMapping"


class Deployment:
    """A stack of deploy/sam/template.yaml."""

    def __init__(self, environment, directory, name, distributions, parameters):
        self.environment = environment
        self.rules = directory / "rules.yaml"
        text = (ROOT / "tests/e2e/rules.yaml").read_text()
        self.rules.write_text(string.Template(text.replace("$'", "$$'")).substitute(distributions))
        template = directory / "template.yaml"
        shutil.copy(ROOT / "deploy/sam/template.yaml", template)
        for command in ("iam-policy", "event-pattern"):
            self.invalidator(command, "--into", str(template))

        resources = self.transformed(template.read_text(), parameters)
        mappings = [r["Properties"] for r in resources["Resources"].values() if r["Type"] == PLAYED]
        resources["Resources"] = {n: r for n, r in resources["Resources"].items() if r["Type"] != PLAYED}
        body = directory / "transformed.json"
        body.write_text(json.dumps(resources, indent=1))
        # moto makes a list of a parameter that is given, and not of a default.
        lists = {
            key: parameter["Default"] for key, parameter in self.document["Parameters"].items()
            if parameter["Type"] == "CommaDelimitedList" and "Default" in parameter
        }
        arguments = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in (lists | parameters).items()
        ]
        aws(environment, "cloudformation", "create-stack", "--stack-name", name, "--capabilities", "CAPABILITY_IAM",
            "--template-body", f"file://{body}", "--parameters", json.dumps(arguments))
        stack = aws(environment, "cloudformation", "describe-stacks", "--stack-name", name)["Stacks"][0]
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        [self.mapping] = mappings
        assert self.mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    def invalidator(self, *arguments, **options):
        command = [str(INVALIDATOR), "--rules", str(self.rules), *arguments]
        return run(command, ENVIRONMENT, **options)

    def transformed(self, text, parameters):
        """What CloudFormation makes of the template before it creates anything."""
        self.document = yaml_parse(text)
        function = self.document["Resources"]["Function"]
        del function["Metadata"]
        # The package: moto keeps it and does not look inside.
        function["Properties"]["CodeUri"] = "s3://e2e-packages/function.zip"
        os.environ["AWS_DEFAULT_REGION"] = REGION
        loader = ManagedPolicyLoader(None)
        # The template names no managed policy, so that none has to be looked up.
        loader.load = dict
        return transform(self.document, dict(parameters), loader)

    def batch_size(self):
        """The mapping's BatchSize, as the template's default has it."""
        size = self.mapping["BatchSize"]
        return self.document["Parameters"][size["Ref"]]["Default"] if isinstance(size, dict) else int(size)



