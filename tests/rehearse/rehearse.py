#!/usr/bin/env python3
"""Deploys the stack twice to an emulated AWS, compares it with the template, and lists what that cannot prove.

`make rehearse` runs it. It calls nothing outside this machine: the credentials are invented, and every AWS
endpoint is moto's server in this process.
"""

import contextlib
import json
import logging
import os
import pathlib
import subprocess
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / ".cache" / "rehearse"
BIN = pathlib.Path(sys.executable).parent
BUCKET = "tienda-rehearsal-artifacts"
STACK = "tienda-rehearsal"
REGION = "eu-central-1"
ENVIRONMENT = "prod"
MEMORY, NEW_MEMORY = 512, 640

# Before boto3 is imported, because it reads the environment.
for variable in [v for v in os.environ if v.startswith("AWS_")]:
    del os.environ[variable]
os.environ.update(
    AWS_ACCESS_KEY_ID="rehearsal",
    AWS_SECRET_ACCESS_KEY="rehearsal",
    AWS_DEFAULT_REGION=REGION,
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    SAM_CLI_TELEMETRY="0",
    NO_PROXY="localhost,127.0.0.1",
    no_proxy="localhost,127.0.0.1",
)

import boto3  # noqa: E402
import tomlkit  # noqa: E402
import yaml  # noqa: E402
from moto.cloudformation.parsing import get_model_map  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402

from expect import check  # noqa: E402
from prune import FIFO_NAME, OPTIONAL, prune  # noqa: E402

UNPROVEN = {
    "AWS::ApiGatewayV2::Api": "that the API's document is accepted, that routes, CORS and authorizers work",
    "AWS::ApiGatewayV2::Stage": "throttling, access log",
    "AWS::CloudWatch::Alarm": "that a metric is accepted, that an alarm ever goes off",
    "AWS::CodeDeploy::Application": "gradual deployment",
    "AWS::CodeDeploy::DeploymentGroup": "that traffic is shifted, and rolled back on an alarm",
    "AWS::Logs::MetricFilter": "that the filters find in the logs what they count",
    "AWS::Lambda::Alias": "that routes reach the published version and not the newest code",
    "AWS::SecretsManager::Secret": "that the generated secret has the form that functions read",
    "Output": "outputs of the above",
    "AWS::Lambda::EventInvokeConfig": "retries and the destination of scheduled invocations that fail",
    "AWS::SQS::QueuePolicy": "that a schedule may send what it cannot deliver",
    FIFO_NAME: "the names that CloudFormation makes for FIFO queues",
    OPTIONAL: "what a condition adds to a list, such as the grants for tracing and for the headers of telemetry",
}


@contextlib.contextmanager
def emulator():
    """Runs moto's server on a free port; yields its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        # Not 127.0.0.1: moto would take that for the name of a bucket.
        yield f"http://localhost:{port}"
    finally:
        server.stop()


def run(*command):
    """Runs a command in the repository; shows its output if it fails."""
    began = time.monotonic()
    done = subprocess.run(list(map(str, command)), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)
    shown = " ".join(pathlib.Path(str(c)).name if "/" in str(c) else str(c) for c in command)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\nfailed: {shown}")
    print(f"  {time.monotonic() - began:5.1f} s  {shown}")
    return done.stdout


def samconfig(parameters):
    """Writes a samconfig.toml for the emulator: a named bucket, because it cannot make SAM's managed one; no
    question before the change; and every parameter's value, because the emulator has no previous values."""
    config = tomlkit.parse((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    config[ENVIRONMENT]["global"]["parameters"]["stack_name"] = STACK
    deploy = config[ENVIRONMENT]["deploy"]["parameters"]
    deploy["s3_bucket"] = BUCKET
    deploy["resolve_s3"] = False
    deploy["confirm_changeset"] = False
    deploy["parameter_overrides"] = [f'{name}="{p["Default"]}"' for name, p in parameters.items() if p["Default"] != ""]
    path = WORK / "samconfig.toml"
    path.write_text(tomlkit.dumps(config), encoding="utf-8")
    return path


def deploy(packaged, name):
    """Translates, prunes and deploys a packaged template; returns what was deployed and what was dropped."""
    run(sys.executable, "tools/translate", "--template", packaged, "--out", WORK / name, ENVIRONMENT)
    translated = json.loads((WORK / name / f"{ENVIRONMENT}.json").read_text(encoding="utf-8"))
    template, dropped = prune(translated, get_model_map())
    path = WORK / name / "pruned.json"
    path.write_text(json.dumps(template, indent=1), encoding="utf-8")
    run(BIN / "sam", "deploy", "--template-file", path, "--config-file", samconfig(template["Parameters"]), "--config-env", ENVIRONMENT, "--region", REGION)
    return template, dropped


def resources(cloudformation):
    """The physical ids by logical id."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def memory(clients):
    """The functions' memory in MB, by name."""
    return {f["FunctionName"]: f["MemorySize"] for f in clients["lambda"].list_functions()["Functions"]}


def verify(clients, template):
    """Fails unless everything is as in the template."""
    status = clients["cloudformation"].describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]
    if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise SystemExit(f"the stack is {status}")
    faults, counts = check(clients, template, STACK, resources(clients["cloudformation"]), BUCKET, ROOT / "dist")
    if faults:
        raise SystemExit("\n".join(faults))
    print("  as in the template: " + ", ".join(f"{n} {kind.rsplit('::', 1)[-1]}" for kind, n in sorted(counts.items())))


def main():
    WORK.mkdir(parents=True, exist_ok=True)
    with emulator() as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        services = ("cloudformation", "cloudwatch", "dynamodb", "events", "iam", "lambda", "logs", "s3", "sqs")
        clients = {service: boto3.client(service) for service in services}
        clients["s3"].create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

        print(f"package and deploy ({ENVIRONMENT}, moto at {url})")
        packaged = WORK / "packaged.yaml"
        run(BIN / "sam", "package", "--template-file", "template.yaml", "--s3-bucket", BUCKET, "--output-template-file", packaged)
        aliases = [token.value for token in yaml.scan(packaged.read_text(encoding="utf-8")) if isinstance(token, yaml.AliasToken)]
        if aliases:
            raise SystemExit(f"the packaged template has the YAML aliases {aliases}, which CloudFormation does not read")
        template, dropped = deploy(packaged, "first")
        verify(clients, template)
        table = resources(clients["cloudformation"])["CommerceTable"]

        print(f"deploy an update ({MEMORY} MB to {NEW_MEMORY} MB)")
        want = {name: NEW_MEMORY if size == MEMORY else size for name, size in memory(clients).items()}
        text = packaged.read_text(encoding="utf-8")
        changed = text.replace(f"MemorySize: {MEMORY}\n", f"MemorySize: {NEW_MEMORY}\n")
        if changed == text:
            raise SystemExit(f"template.yaml has no MemorySize: {MEMORY} to change")
        update = WORK / "update.yaml"
        update.write_text(changed, encoding="utf-8")
        template, _ = deploy(update, "update")
        verify(clients, template)
        if resources(clients["cloudformation"])["CommerceTable"] != table:
            raise SystemExit("the update replaced CommerceTable")
        other = {name: size for name, size in memory(clients).items() if size != want.get(name)}
        if other or NEW_MEMORY not in want.values():
            raise SystemExit(f"functions have other MB after the update than the template: {other}")
        print(f"  arrived: every function that had {MEMORY} MB has {NEW_MEMORY} MB, and CommerceTable is the same table")

    print("NOT proven, because moto does not support it (only an AWS account can prove it):")
    for kind, names in sorted(dropped.items()):
        print(f"  {len(names):3} {kind:34} {UNPROVEN.get(kind, 'anything about it')}")
    print("  Nor an event source mapping's filter and failures; a function's architecture, tracing and log group;")
    print("  a table's TTL, point-in-time recovery and encryption; that a role has FunctionBasics and is enough for")
    print("  its function; that a new version is published; that a deployment without a change is recognised as empty.")


if __name__ == "__main__":
    main()
