"""Puts and deletes objects, and compares the resulting invalidations with those of objects.py."""

import collections
import json
import os
import sys
import tempfile
import uuid
from pathlib import Path

import machine
import objects
from deployment import Deployment
from machine import ACCOUNT, ENVIRONMENT, REGION, Failed, aws


class Pipeline:
    """One stack, one function, one CloudFront."""

    def __init__(self, environment, cloudfront, deployment, distributions, invoke):
        self.environment = environment
        self.cloudfront = machine.client(cloudfront, "cloudfront")
        self.deployment = deployment
        self.targets = {id: target for target, id in distributions.items()}
        self.invoke = invoke
        self.seen = set()
        self.sqs = machine.client(environment, "sqs")

    def receive(self, queue):
        """Receives all messages of a queue. They stay invisible until they are deleted."""
        messages = []
        while batch := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["All"]).get(
            "Messages"
        ):
            messages += batch
        return messages

    def poll(self):
        """Does what Lambda's event source mapping does: invokes the function, then deletes the messages it handled."""
        queue = self.deployment.outputs["QueueUrl"]
        messages = self.receive(queue)
        size = self.deployment.batch_size()
        for start in range(0, len(messages), size):
            batch = messages[start:start + size]
            records = [{
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "messageAttributes": {},
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": self.deployment.outputs["QueueArn"],
                "awsRegion": REGION,
            } for message in batch]
            answer = self.invoke({"Records": records})
            if answer != {"batchItemFailures": []}:
                raise Failed(f"the function answered {answer}")
            for message in batch:
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    def drain(self):
        """Does what the schedule does: sends the template's request to the function, which reads the queue."""
        queue = self.deployment.outputs["QueueUrl"]
        messages = self.receive(queue)
        for message in messages:
            self.sqs.change_message_visibility(
                QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        answer = self.invoke(json.loads(self.deployment.schedule["Target"]["Input"]))
        if (answer["received"], answer["deleted"], answer["kept"]) != (len(messages), len(messages), 0):
            raise Failed(f"the function answered {answer}")
        if left := self.receive(queue):
            raise Failed(f"{len(left)} messages are left after the drain")
        return [json.loads(message["Body"]) for message in messages]

    def invalidated(self):
        """Returns the items of the invalidations created since the last call, by target."""
        items = collections.defaultdict(list)
        for id, target in self.targets.items():
            listed = self.cloudfront.list_invalidations(DistributionId=id)["InvalidationList"]
            for summary in listed.get("Items", []):
                if summary["Id"] not in self.seen:
                    self.seen.add(summary["Id"])
                    invalidation = self.cloudfront.get_invalidation(DistributionId=id, Id=summary["Id"])["Invalidation"]
                    items[target] += invalidation["InvalidationBatch"]["Paths"]["Items"]
        return {target: sorted(list) for target, list in items.items()}

    def step(self, what, cases, all_events, predicted):
        """Polls, and compares the delivered events and the invalidated items with the expected ones."""
        delivered = self.drain() if self.deployment.drains else self.poll()
        keys = [(e["detail-type"], e["detail"]["bucket"]["name"], e["detail"]["object"]["key"]) for e in delivered]
        if len(keys) != len(set(keys)):
            raise Failed(f"{what}: delivered twice: {sorted(keys)}")
        print(f"{what}: {len(all_events)} events, {len(delivered)} delivered")
        if predicted is not None and sorted(keys) != sorted(predicted):
            raise Failed(f"{what}: moto delivered {sorted(keys)}, `event-pattern --test` predicts {sorted(predicted)}")
        expected = collections.defaultdict(list)
        for items in cases:
            for target, paths in items.items():
                expected[target] += paths
        expected = {target: sorted(paths) for target, paths in expected.items()}
        actual = self.invalidated()
        for target, paths in sorted(actual.items()):
            print(f"  {target}: {'  '.join(paths)}")
        if actual != expected:
            raise Failed(f"{what}: expected {expected}, found {actual}")


def put(environment, cases):
    """Creates the objects with `aws s3 sync`, bucket by bucket."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as directory:
        for bucket, key, *_ in cases:
            file = Path(directory, bucket, key)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(key)
        for bucket in sorted({bucket for bucket, *_ in cases}):
            machine.run(["aws", "s3", "sync", str(Path(directory, bucket)), f"s3://{bucket}"], environment)


def delete(environment, cases):
    s3 = machine.client(environment, "s3")
    for bucket, key, *_ in cases:
        s3.delete_object(Bucket=bucket, Key=key)


def prepare(environment):
    """Creates the buckets, and a queue that receives every event, whatever the pattern of the template."""
    s3, events = machine.client(environment, "s3"), machine.client(environment, "events")
    for bucket in objects.BUCKETS:
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    queue = machine.client(environment, "sqs").create_queue(QueueName="everything")["QueueUrl"]
    events.put_rule(Name="everything", EventPattern=json.dumps({"source": ["aws.s3"]}))
    events.put_targets(
        Rule="everything", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:everything"}])
    s3.create_bucket(Bucket="e2e-packages")
    return queue


def origin(bucket, path=""):
    return {
        "Id": bucket,
        "DomainName": f"{bucket}.s3.amazonaws.com",
        "OriginPath": path,
        "S3OriginConfig": {"OriginAccessIdentity": ""},
    }


def behavior(bucket, query_strings=False):
    return {
        "TargetOriginId": bucket,
        "ViewerProtocolPolicy": "allow-all",
        "ForwardedValues": {"QueryString": query_strings, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
        "MaxTTL": 86400,
    }


def create_distribution(environment, **config):
    """Creates a distribution of the bucket e2e-site on moto and returns its id."""
    cloudfront = machine.client(environment, "cloudfront")
    config = {
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin("e2e-site")]},
        "DefaultCacheBehavior": behavior("e2e-site"),
    } | config
    # moto's ids may start with any letter, AWS's start with E.
    while True:
        created = cloudfront.create_distribution(DistributionConfig=config | {"CallerReference": str(uuid.uuid4())})
        id = created["Distribution"]["Id"]
        if id.startswith("E"):
            return id
        cloudfront.delete_distribution(Id=id, IfMatch=created["ETag"])


def compare_with_account(environment, directory):
    """`check` accepts the rules that `init` prints, and reports what is then changed, from the account and from files.

    A distribution has two origins, and one of its behaviors has query strings in its cache key.
    """
    id = create_distribution(
        environment,
        Origins={"Quantity": 2, "Items": [origin("e2e-site"), origin("e2e-feeds-1", "/public")]},
        CacheBehaviors={"Quantity": 1, "Items": [behavior("e2e-feeds-1", True) | {"PathPattern": "/feeds/*"}]},
    )
    rules, saved, quiet = (directory / name for name in ("first-rules.yaml", "saved.json", "quiet.json"))
    saved.write_text(json.dumps(aws(environment, "cloudfront", "get-distribution-config", "--id", id)))
    # A bucket that sends no events. Of one that does, moto does not return the setting.
    answer = aws(environment, "s3api", "get-bucket-notification-configuration", "--bucket", "e2e-packages")
    quiet.write_text("" if answer is None else json.dumps(answer))
    from_files = ["--distribution", f"{id}={saved}"]
    invalidator = str(machine.INVALIDATOR)

    def check(text, *options, expected=""):
        """Checks rules, with the expected text in what is reported, and no difference if it is empty."""
        rules.write_text(text)
        code = 1 if expected else 0
        output = machine.run([invalidator, "check", *options, str(rules)], environment, accepted=(code,))
        if expected not in output:
            raise Failed(f"check {' '.join(options)}: expected {expected}, found {output}")
        return output

    for source, options in (["--aws"], []), (from_files, from_files):
        text = machine.run([invalidator, "init", *options], environment)
        print(check(text, *source).strip())
        if "prefix: public/feeds/" not in text:
            raise Failed(f"init has no target for /feeds/*: {text}")
        check(text.replace("bucket: e2e-site", "bucket: e2e-other"), *source, expected="is not an origin of")
        check(text.replace("query_strings: true", "query_strings: false"), *source, expected="write `query_strings: true`")
        check(text.replace("public/feeds/", "public/other/"), *source, expected="get the bucket at `/feeds/*`")
    check(text, "--notification", f"e2e-site={quiet}", expected="sends no events to EventBridge")
    machine.client(environment, "cloudfront").delete_distribution(Id=id, IfMatch="x")


def package_without_rules(environment, directory):
    """Generates and packages a folder that has no rules.yaml: DistributionId is all that its installation needs."""
    site = directory / "site-without-rules"
    site.mkdir()
    (site / "function.zip").write_bytes(machine.empty_package())
    machine.run([machine.ROOT / "deploy/generate", site], ENVIRONMENT | {"INVALIDATOR": str(machine.INVALIDATOR)})
    machine.run(["cfn-lint", *site.glob("*.yaml")], ENVIRONMENT)
    for template in ("template.yaml", "direct.yaml"):
        aws(environment, "cloudformation", "package", "--template-file", str(site / template),
            "--s3-bucket", "e2e-packages", "--output-template-file", str(site / "packaged.yaml"))
    print("deploy/generate and package without rules.yaml: ok")


# One pattern is not enough for it and the other rules.
ONE_MORE_RULE = """
  - name: texts
    bucket: e2e-site
    prefix: texts/
    suffix: [.css, .html, .js, .json, .txt, .xml]
    invalidate: blog
"""


def change_rules(deployment):
    """Deploys other rules, and then the earlier ones: the layer and the event rules follow."""
    def event_rules():
        prefix = f"{deployment.name}-"
        rules = aws(deployment.environment, "events", "list-rules", "--name-prefix", prefix)["Rules"]
        return {rule["Name"].removeprefix(prefix) for rule in rules}

    earlier, before = deployment.rules.read_text(), event_rules()
    deployment.change_rules(earlier + ONE_MORE_RULE)
    changed = event_rules()
    if before != {"rules-1"} or len(changed) < 2 or changed & before:
        raise Failed(f"event rules: {before}, then {changed}")
    deployment.change_rules(earlier)
    # moto does not create a resource again that an update deleted.
    if event_rules() or "RulesPattern1" not in deployment.document["Resources"]:
        raise Failed(f"event rules after the roll-back: {event_rules()}")
    print(f"rules changed and rolled back: event rules {before}, then {changed}")


def replay(environment, directory, distributions):
    """Replays what direct.yaml keeps of a failed invocation, and an event that EventBridge could not deliver to it."""
    deployment = Deployment(environment, directory, "direct", distributions, {"Buckets": "e2e-site"}, "direct.yaml")
    if deployment.variables["QUEUE_URL"] != {"Ref": "FailedQueue"}:
        raise Failed("a drain of direct.yaml does not read FailedQueue")
    queue = deployment.outputs["FailedQueueUrl"]

    def event(key):
        detail = {"bucket": {"name": "e2e-site"}, "object": {"key": key, "sequencer": "01"}}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    record = json.loads((machine.ROOT / "events/on-failure-record.json").read_text())
    sqs = machine.client(environment, "sqs")
    for body in (record | {"requestPayload": event("public/failed.html")}, event("public/undelivered.html"), {"bad": 1}):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    with machine.simulator(directory, list(distributions.values())) as cloudfront:
        endpoints = {"QUEUE_URL": queue, "AWS_ENDPOINT_URL_SQS": environment["AWS_ENDPOINT_URL"]}
        with machine.function(directory, cloudfront | endpoints | {"RULES_PATH": str(deployment.rules)}) as invoke:
            pipeline = Pipeline(environment, cloudfront, deployment, distributions, invoke)
            answer = invoke({"drain": {}})
            if (answer["received"], answer["deleted"], answer["kept"]) != (3, 2, 1):
                raise Failed(f"replay: the function answered {answer}")
            if (found := pipeline.invalidated()) != {"www": ["/failed.html", "/undelivered.html"]}:
                raise Failed(f"replay: found {found}")
    # Its event rule would invoke the function, for which moto needs Docker.
    aws(environment, "cloudformation", "delete-stack", "--stack-name", "direct")
    print("replay of direct.yaml's FailedQueue: 3 messages, 2 deleted, 1 kept")


def forward(pipeline):
    """Creates an object in another account and region, whose events forward.yaml sends to the bus of the installation.

    moto checks neither the bus policy nor the role of the rule, and has no dead letters of targets.
    """
    role = machine.client(pipeline.environment, "sts").assume_role(
        RoleArn="arn:aws:iam::444455556666:role/sender", RoleSessionName="e2e")["Credentials"]
    sender = pipeline.environment | {
        "AWS_ACCESS_KEY_ID": role["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
        "AWS_SESSION_TOKEN": role["SessionToken"],
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
    }
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    aws(sender, "cloudformation", "deploy", "--template-file", "deploy/sam/forward.yaml",
        "--stack-name", "forward-s3-events", "--capabilities", "CAPABILITY_IAM",
        "--parameter-overrides", "Buckets=e2e-media", "DetailTypes=Object Created,Object Deleted", f"EventBus={bus}")
    aws(sender, "s3api", "create-bucket", "--bucket", "e2e-media",
        "--create-bucket-configuration", "LocationConstraint=eu-central-1")
    aws(sender, "s3api", "put-bucket-notification-configuration", "--bucket", "e2e-media",
        "--notification-configuration", '{"EventBridgeConfiguration": {}}')
    aws(sender, "s3api", "put-object", "--bucket", "e2e-media", "--key", "photo.jpg")
    [event] = pipeline.drain()
    key = event["detail"]["object"]["key"]
    if (key, found := pipeline.invalidated()) != ("photo.jpg", {"DistributionId": ["/photo.jpg"]}):
        raise Failed(f"forward: found {event}")
    print(f"forwarded from another account and region: {key}")


def run_pass(name, pipeline, everything, cases, predicts):
    for what, change, at in (("created", put, 2), ("deleted", delete, 3)):
        changed = [case for case in cases if case[at] is not None]
        change(pipeline.environment, changed)
        messages = pipeline.receive(everything)
        for message in messages:
            pipeline.sqs.delete_message(QueueUrl=everything, ReceiptHandle=message["ReceiptHandle"])
        events = [json.loads(message["Body"]) for message in messages]
        # moto also sends Object Tags Added for every new object, which the pattern must exclude.
        of_this_kind = [event for event in events if event["detail-type"] == f"Object {what.capitalize()}"]
        if len(of_this_kind) != len(changed):
            raise Failed(f"{name}: {len(changed)} objects {what}, but {len(of_this_kind)} events")
        predicted = None
        if predicts:
            lines = "\n".join(map(json.dumps, events))
            # The exit code is 1 if the pattern excludes an event, as it must here.
            command = ["event-pattern", "--test", "-", "--format", "json"]
            answer = pipeline.deployment.invalidator(*command, accepted=(0, 1), input=lines)
            predicted = [
                (f"Object {e['event'].capitalize()}", e["bucket"], e["key"])
                for e in json.loads(answer)
                if e["delivered"]
            ]
        pipeline.step(f"{name}, {what}", [case[at] for case in changed], events, predicted)


def main():
    with machine.temporary_directory() as directory, machine.moto(Path(directory)) as moto:
        directory = Path(directory)
        environment = ENVIRONMENT | {"AWS_ENDPOINT_URL": moto}
        everything = prepare(environment)
        distributions = {target: create_distribution(environment) for target in ("www", "blog")}
        fallback = create_distribution(environment)
        compare_with_account(environment, directory)
        package_without_rules(environment, directory)

        parameters = {"Buckets": "e2e-unused", "Pattern": "rules", "Mode": "pollers"}
        deployment = Deployment(environment, directory, "by-rules", distributions, parameters)
        function = environment | {"AWS_ENDPOINT_URL_CLOUDFRONT": moto, "RULES_PATH": str(deployment.rules)}
        with machine.function(directory, function) as invoke:
            pipeline = Pipeline(environment, environment, deployment, distributions, invoke)
            run_pass("rules pattern, moto", pipeline, everything, objects.RULES, predicts=True)
        change_rules(deployment)
        aws(environment, "cloudformation", "delete-stack", "--stack-name", "by-rules")

        replay(environment, directory, distributions)

        parameters = {
            "Buckets": "e2e-site,e2e-feeds-1,e2e-media", "DistributionId": fallback, "SenderAccounts": "444455556666"}
        deployment = Deployment(environment, directory, "by-buckets", distributions, parameters)
        with machine.simulator(directory, [*distributions.values(), fallback]) as cloudfront:
            function = cloudfront | {
                "RULES_PATH": str(deployment.rules),
                "DistributionId": fallback,
                "QUEUE_URL": deployment.outputs["QueueUrl"],
                "AWS_ENDPOINT_URL_SQS": moto,
            }
            with machine.function(directory, function) as invoke:
                ids = distributions | {"DistributionId": fallback}
                pipeline = Pipeline(environment, cloudfront, deployment, ids, invoke)
                run_pass("buckets pattern with fallback, drain, simulator", pipeline, everything, objects.FALLBACK, False)
                forward(pipeline)
    print("end to end: ok")


if __name__ == "__main__":
    os.chdir(machine.ROOT)
    try:
        main()
    except Failed as failed:
        sys.exit(f"end to end: {failed}")
