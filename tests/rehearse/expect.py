"""Compares what the emulator created with the template."""

import ast
import io
import json
import pathlib
import re
import stat
import zipfile

from prune import attribute_owner


STREAM = re.compile(r"/stream/[^/]+$")


class Faults(list):
    """Sentences about what is wrong."""

    def equal(self, what, got, want):
        if got != want:
            self.append(f"{what}: got {got!r}, want {want!r}")


class Resolver:
    """Resolves the intrinsic functions of a template."""

    def __init__(self, template, stack, physical):
        self.template, self.stack, self.physical = template, stack, physical
        self.parameters = {name: p.get("Default") for name, p in template["Parameters"].items()}

    def value(self, v):
        """The value with its references resolved; an ARN becomes its end, the physical id."""
        if isinstance(v, list):
            return [w for w in map(self.value, v) if w is not None]
        if not isinstance(v, dict):
            return v
        if "Ref" in v:
            if v["Ref"] == "AWS::NoValue":
                return None
            return self.parameters.get(v["Ref"], self.physical.get(v["Ref"]))
        if "Fn::GetAtt" in v:
            # A queue's physical id is its URL.
            return self.physical.get(v["Fn::GetAtt"][0], "").rsplit("/", 1)[-1] or None
        if "Fn::If" in v:
            name, yes, no = v["Fn::If"]
            return self.value(yes if self.condition(self.template["Conditions"][name]) else no)
        if "Fn::Sub" in v and isinstance(v["Fn::Sub"], str):
            text = v["Fn::Sub"].replace("${AWS::StackName}", self.stack)
            for name, value in {**self.parameters, **self.physical}.items():
                text = text.replace("${" + name + "}", str(value)).replace("${" + name + ".Arn}", str(value))
            return text
        return {key: self.value(inner) for key, inner in v.items()}

    def condition(self, v):
        if "Fn::Equals" in v:
            left, right = map(self.value, v["Fn::Equals"])
            return left == right
        if "Fn::Not" in v:
            return not self.condition(v["Fn::Not"][0])
        raise ValueError(f"condition {v}: want Fn::Equals or Fn::Not")


def check(clients, template, stack, physical, bucket, dist):
    """Sentences about what differs from the template, and the number of compared resources by type."""
    faults, resolve = Faults(), Resolver(template, stack, physical)
    checks = {
        "AWS::DynamoDB::Table": lambda n, p: table(faults, clients, n, physical[n], p, resolve),
        "AWS::Lambda::Function": lambda n, p: function(faults, clients, n, physical, p, resolve, bucket, dist),
        "AWS::IAM::ManagedPolicy": lambda n, p: managed_policy(faults, clients, n, physical[n], p, resolve),
        "AWS::IAM::Role": lambda n, p: role(faults, clients, n, physical[n], p, resolve),
        "AWS::Logs::LogGroup": lambda n, p: log_group(faults, clients, n, p, resolve),
        "AWS::Lambda::Permission": lambda n, p: permission(faults, clients, n, physical, p),
        "AWS::Lambda::Version": lambda n, p: version(faults, clients, n, physical, p),
        "AWS::SQS::Queue": lambda n, p: queue(faults, clients, n, physical[n], p, resolve),
        "AWS::Lambda::EventSourceMapping": lambda n, p: mapping(faults, clients, n, physical, p, resolve),
        "AWS::Events::Rule": lambda n, p: rule(faults, clients, n, physical[n], p, resolve),
        "AWS::CloudWatch::Dashboard": lambda n, p: dashboard(faults, clients, n, physical[n]),
    }
    counts = {}
    for name, resource in template["Resources"].items():
        kind = resource["Type"]
        if name not in physical:
            faults.append(f"{name} ({kind}) was not created")
        elif kind not in checks:
            faults.append(f"{name}: there is no check of a {kind}: add one to tests/rehearse/expect.py")
        else:
            checks[kind](name, resource.get("Properties", {}))
            counts[kind] = counts.get(kind, 0) + 1
    return faults, counts


def table(faults, clients, name, physical, props, resolve):
    got = clients["dynamodb"].describe_table(TableName=physical)["Table"]
    faults.equal(f"{name} keys", got["KeySchema"], props["KeySchema"])
    by_name = lambda a: a["AttributeName"]
    faults.equal(f"{name} attributes", sorted(got["AttributeDefinitions"], key=by_name), sorted(props["AttributeDefinitions"], key=by_name))
    indexes = [{k: i[k] for k in ("IndexName", "KeySchema", "Projection")} for i in got.get("GlobalSecondaryIndexes", [])]
    faults.equal(f"{name} indexes", indexes, props.get("GlobalSecondaryIndexes", []))
    faults.equal(f"{name} billing", got.get("BillingModeSummary", {}).get("BillingMode"), props["BillingMode"])
    faults.equal(f"{name} stream", got.get("StreamSpecification", {}).get("StreamViewType"), props.get("StreamSpecification", {}).get("StreamViewType"))
    protected = str(resolve.value(props["DeletionProtectionEnabled"])).lower() == "true"
    # moto keeps what it was given: a parameter's text.
    faults.equal(f"{name} deletion protection", str(got["DeletionProtectionEnabled"]).lower() == "true", protected)


def function(faults, clients, name, physical, props, resolve, bucket, dist):
    got = clients["lambda"].get_function_configuration(FunctionName=physical[name])
    faults.equal(f"{name} memory", got["MemorySize"], props["MemorySize"])
    faults.equal(f"{name} timeout", got["Timeout"], props["Timeout"])
    faults.equal(f"{name} runtime", got["Runtime"], props["Runtime"])
    faults.equal(f"{name} handler", got["Handler"], props["Handler"])
    made, wanted = got["Environment"]["Variables"], resolve.value(props["Environment"]["Variables"])
    faults.equal(f"{name} environment", {k: str(v) for k, v in made.items()}, {k: str(v) for k, v in wanted.items()})
    faults.equal(f"{name} role", got["Role"].rsplit("/", 1)[-1], resolve.value(props["Role"]))

    # SAM uploaded the binary of `make build`, with the name and the mode that Lambda needs.
    body = clients["s3"].get_object(Bucket=bucket, Key=props["Code"]["S3Key"])["Body"].read()
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        entry = archive.getinfo("bootstrap")
        faults.equal(f"{name} archive", archive.namelist(), ["bootstrap"])
        if not (entry.external_attr >> 16) & stat.S_IXOTH:
            faults.append(f"{name}: bootstrap is not executable in the archive")
        operation = re.sub(r"(?<!^)(?=[A-Z])", "-", name.removesuffix("Function")).lower()
        if archive.read(entry) != (pathlib.Path(dist) / operation / "bootstrap").read_bytes():
            faults.append(f"{name}: the archive's bootstrap is not {dist}/{operation}/bootstrap")


def dashboard(faults, clients, name, physical):
    """The body is a text with references in it, so it must still be JSON when they are resolved."""
    body = clients["cloudwatch"].get_dashboard(DashboardName=physical)["DashboardBody"]
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, KeyError) as fault:
        faults.append(f"{name} has no widgets: {fault!r}: {body[:200]}")
        return
    if not widgets or "${" in body:
        faults.append(f"{name} has {len(widgets)} widgets; no reference may be left in them")


def role(faults, clients, name, physical, props, resolve):
    got = clients["iam"].get_role(RoleName=physical)["Role"]
    faults.equal(f"{name} trust", got["AssumeRolePolicyDocument"], props["AssumeRolePolicyDocument"])
    # moto makes a role without its managed policies, so only a surplus is a fault.
    attached = {p["PolicyArn"] for p in clients["iam"].list_attached_role_policies(RoleName=physical)["AttachedPolicies"]}
    faults.equal(f"{name} surplus of managed policies", attached - set(resolve.value(props.get("ManagedPolicyArns", []))), set())
    for policy in props.get("Policies", []):
        made = clients["iam"].get_role_policy(RoleName=physical, PolicyName=policy["PolicyName"])["PolicyDocument"]
        if isinstance(made, str):  # moto stores what CloudFormation made as Python writes it
            made = ast.literal_eval(made)
        statements(faults, name, made, policy["PolicyDocument"], resolve)


def managed_policy(faults, clients, name, physical, props, resolve):
    version = clients["iam"].get_policy(PolicyArn=physical)["Policy"]["DefaultVersionId"]
    made = clients["iam"].get_policy_version(PolicyArn=physical, VersionId=version)["PolicyVersion"]["Document"]
    statements(faults, name, made, props["PolicyDocument"], resolve)


def statements(faults, name, made, document, resolve):
    """Compares a policy's statements; the made ones have whole ARNs, of which the template has the ends."""
    wanted = resolve.value(document["Statement"])
    faults.equal(f"{name} actions", [s["Action"] for s in made["Statement"]], [s["Action"] for s in wanted])
    for got_one, want_one in zip(made["Statement"], wanted):
        resources, endings = listed(got_one["Resource"]), listed(want_one["Resource"])
        if len(resources) != len(endings) or not all(r == e or STREAM.sub("", r).endswith((":" + e, "/" + e)) for r, e in zip(resources, endings)):
            faults.append(f"{name} may {got_one['Action']} on {resources!r}, want what ends in {endings!r}")


def listed(value):
    return [str(v) for v in (value if isinstance(value, list) else [value])]


def log_group(faults, clients, name, props, resolve):
    wanted = resolve.value(props["LogGroupName"])
    groups = clients["logs"].describe_log_groups(logGroupNamePrefix=wanted)["logGroups"]
    got = {g["logGroupName"]: g.get("retentionInDays") for g in groups}
    faults.equal(f"{name} retention", str(got.get(wanted)), str(resolve.value(props["RetentionInDays"])))


def permission(faults, clients, name, physical, props):
    target = props["FunctionName"]
    owner = target["Ref"] if "Ref" in target else target["Fn::GetAtt"][0]
    statements = json.loads(clients["lambda"].get_policy(FunctionName=physical[owner])["Policy"])["Statement"]
    sources = [s["Condition"]["ArnLike"]["AWS:SourceArn"] for s in statements if s["Principal"] == {"Service": props["Principal"]}]
    if "Fn::GetAtt" in props["SourceArn"]:  # a schedule
        wanted = physical[attribute_owner(props["SourceArn"]["Fn::GetAtt"])]
        if not any(wanted in source for source in sources):
            faults.append(f"{name}: {owner} may be invoked from {sources}, want {wanted}")
        return
    text, variables = props["SourceArn"]["Fn::Sub"]
    ending = text.split("${__ApiId__}", 1)[1].replace("${__Stage__}", str(variables.get("__Stage__")))
    if not any(source.endswith(str(variables["__ApiId__"]) + ending) for source in sources):
        faults.append(f"{name}: the gateway may invoke {owner} from {sources}, want …{ending}")


def queue(faults, clients, name, url, props, resolve):
    got = clients["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    for member in ("VisibilityTimeout", "MessageRetentionPeriod", "FifoQueue", "DeduplicationScope", "FifoThroughputLimit"):
        if member in props:
            faults.equal(f"{name} {member}", got.get(member, "").lower(), str(props[member]).lower())
    if "RedrivePolicy" in props:
        policy = json.loads(got["RedrivePolicy"])
        dead = resolve.value(props["RedrivePolicy"]["deadLetterTargetArn"])
        faults.equal(f"{name} receives", policy["maxReceiveCount"], props["RedrivePolicy"]["maxReceiveCount"])
        faults.equal(f"{name} dead letters", policy["deadLetterTargetArn"].rsplit(":", 1)[-1], dead)


def mapping(faults, clients, name, physical, props, resolve):
    got = clients["lambda"].get_event_source_mapping(UUID=physical[name])
    faults.equal(f"{name} batch", got["BatchSize"], props["BatchSize"])
    source = resolve.value(props["EventSourceArn"])
    if source not in got["EventSourceArn"]:
        faults.append(f"{name}: reads {got['EventSourceArn']}, want {source}")
    function = physical[props["FunctionName"]["Ref"]]
    if f":function:{function}" not in got["FunctionArn"]:
        faults.append(f"{name}: invokes {got['FunctionArn']}, want {function}")


def rule(faults, clients, name, physical, props, resolve):
    got = clients["events"].describe_rule(Name=physical)
    faults.equal(f"{name} schedule", got["ScheduleExpression"], props["ScheduleExpression"])
    targets = clients["events"].list_targets_by_rule(Rule=physical)["Targets"]
    ends = [t["Arn"].rsplit(":", 1)[-1] for t in targets]
    faults.equal(f"{name} targets", ends, [resolve.value(t["Arn"]) for t in props["Targets"]])


def version(faults, clients, name, physical, props):
    owner = physical[props["FunctionName"]["Ref"]]
    versions = [v["Version"] for v in clients["lambda"].list_versions_by_function(FunctionName=owner)["Versions"]]
    if "1" not in versions:
        faults.append(f"{name}: {owner} has the versions {versions}, want 1 among them")
