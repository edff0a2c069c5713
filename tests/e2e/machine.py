"""The processes that stand in for AWS. Each ends with its `with` block."""

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target/debug"
FUNCTION = "s3-cloudfront-invalidator"
ACCOUNT = "123456789012"
REGION = "us-east-1"

INVALIDATOR = TARGET / "invalidator"

# The caller's own AWS settings must not reach the tests.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
ENVIRONMENT |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
}
for name in ("DistributionId", "RULES_PATH", "DRY_RUN"):
    ENVIRONMENT.pop(name, None)


class Failed(Exception):
    """A check of these tests failed."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(condition, what, seconds=60):
    """Polls the condition until it holds, and returns its value."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.2)
    return answer


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def process(command, environment, log):
    """Runs a process for the duration of the block. Its output goes to a file, whose end is printed on failure."""
    with log.open("w") as output:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield child
        except BaseException:
            print(f"--- the end of the output of {command[0]}:\n{log.read_text()[-4000:]}")
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


@contextlib.contextmanager
def moto(directory):
    """S3, EventBridge, SQS, IAM, CloudFormation and CloudFront."""
    port = free_port()
    command = ["moto_server", "--host", "127.0.0.1", "--port", str(port)]
    with process(command, ENVIRONMENT, directory / "moto.log"):
        until(lambda: listens(port), "moto")
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def simulator(directory, distributions):
    """Runs the project's CloudFront simulator. Yields an environment with its endpoint."""
    log = directory / "simulator.log"
    command = [str(TARGET / "examples/simulator"), *distributions]
    with process(command, ENVIRONMENT, log):
        line = until(lambda: log.read_text().partition("\n")[0], "simulator")
        yield ENVIRONMENT | json.loads(line)


@contextlib.contextmanager
def function(directory, environment):
    """Runs the function under `cargo lambda watch`. Yields a callable that invokes it."""
    port = free_port()
    command = ["cargo", "lambda", "watch", "--ignore-changes", "--bin", FUNCTION]
    command += ["--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
    with process(command, environment, directory / "function.log"):
        until(lambda: listens(port), "cargo lambda watch")
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/{FUNCTION}/invocations"

        def invoke(payload):
            request = urllib.request.Request(url, json.dumps(payload).encode())
            try:
                with urllib.request.urlopen(request, timeout=1200) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                raise Failed(f"the function answered {error.code}: {error.read().decode()}") from error

        # A no-op: the first invocation waits until the function is compiled and has started.
        invoke({"Records": []})
        yield invoke


def run(command, environment, accepted=(0,), **options):
    """Runs a command and returns its output, if its exit code is an accepted one."""
    options = {"cwd": ROOT, "env": environment, "capture_output": True, "text": True, "check": False} | options
    done = subprocess.run(command, **options)
    if done.returncode not in accepted:
        raise Failed(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def aws(environment, *arguments, **options):
    """Runs the AWS CLI and returns its parsed output."""
    # As an argument: for SQS the CLI ignores the environment variables.
    endpoint = environment.get("AWS_ENDPOINT_URL") or environment["AWS_ENDPOINT_URL_CLOUDFRONT"]
    output = run(["aws", "--endpoint-url", endpoint, "--output", "json", *arguments], environment, **options)
    return json.loads(output) if output.strip().startswith(("{", "[")) else None


def client(environment, service):
    """A boto3 client: a call takes a hundredth of the time of the CLI, which starts a process."""
    endpoint = environment.get("AWS_ENDPOINT_URL") or environment["AWS_ENDPOINT_URL_CLOUDFRONT"]
    return boto3.client(
        service, endpoint_url=endpoint, region_name=REGION,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def empty_package():
    """A deployment package without a program; moto does not run it."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", "")
    return package.getvalue()


def temporary_directory():
    return tempfile.TemporaryDirectory(prefix="e2e-")
