"""Removes from a translated template what the emulator does not support, so that the rest can be deployed.

The emulator silently skips a resource of an unknown type and then fails on the references to
it. It also keeps an empty element for AWS::NoValue in a list, and makes up a name for a FIFO queue that
does not end in .fifo, as CloudFormation's does. This module returns what it removed, and every reference to
it gets a stand-in.
"""

import copy
import re

ALIAS = "AWS::Lambda::Alias"
SECRET = "AWS::SecretsManager::Secret"
QUEUE = "AWS::SQS::Queue"
OPTIONAL = "optional element of a list"
FIFO_NAME = "made-up name of a FIFO queue"
PLACEHOLDER = re.compile(r"\$\{([^!}][^}]*)\}")


def prune(template, supported):
    """Returns a copy of the template with only resources of supported types, and what was dropped:
    the logical ids by type. An output that needs something dropped is dropped under "Output", and resources
    with elements of lists that a condition may leave out are listed under OPTIONAL. FIFO queues without a
    name get one, and are listed under FIFO_NAME."""
    template = copy.deepcopy(template)
    dropped = {}
    standins = {}
    for name, resource in list(template["Resources"].items()):
        if resource["Type"] not in supported:
            dropped.setdefault(resource["Type"], []).append(name)
            standins[name] = standin(name, resource)
            del template["Resources"][name]
    for name, resource in template["Resources"].items():
        if has_optional(resource):
            dropped.setdefault(OPTIONAL, []).append(name)
        properties = resource.get("Properties", {})
        if resource["Type"] == QUEUE and properties.get("FifoQueue") and "QueueName" not in properties:
            dropped.setdefault(FIFO_NAME, []).append(name)
            properties["QueueName"] = f"rehearsal-{name}.fifo"
    for name, output in list(template.get("Outputs", {}).items()):
        if references(output) & set(standins):
            dropped.setdefault("Output", []).append(name)
            del template["Outputs"][name]
    template["Resources"] = replace(template["Resources"], standins)
    return template, dropped


def standin(name, resource):
    """What a reference to a dropped resource becomes. An alias becomes its function, a secret an ARN, because
    the emulator checks the resources of managed policies, and anything else a text that no service returns."""
    if resource["Type"] == ALIAS:
        return resource["Properties"]["FunctionName"]
    if resource["Type"] == SECRET:
        return f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:rehearsal-{name}"
    return f"rehearsal-{name}"


def optional(element):
    """Whether an element of a list may be left out by a condition."""
    return isinstance(element, dict) and element.get("Fn::If", [None])[-1] == {"Ref": "AWS::NoValue"}


def has_optional(value):
    if isinstance(value, list):
        return any(optional(element) or has_optional(element) for element in value)
    return isinstance(value, dict) and any(has_optional(inner) for inner in value.values() if not optional(value))


def references(value):
    """The logical ids that a value refers to by Ref, GetAtt or Sub."""
    found = set()
    if isinstance(value, list):
        for element in value:
            found |= references(element)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                found.add(inner)
            elif key == "Fn::GetAtt":
                found.add(attribute_owner(inner))
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                found |= {name.split(".")[0] for name in PLACEHOLDER.findall(text)}
                found |= references(inner)
            else:
                found |= references(inner)
    return found


def attribute_owner(value):
    return value.split(".")[0] if isinstance(value, str) else value[0]


def replace(value, standins):
    """The value with every reference to a key of standins replaced."""
    if isinstance(value, list):
        return [replace(element, standins) for element in value if not optional(element)]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in standins:
        return standins[value["Ref"]]
    if set(value) == {"Fn::GetAtt"} and attribute_owner(value["Fn::GetAtt"]) in standins:
        return flat(standins[attribute_owner(value["Fn::GetAtt"])])
    if set(value) == {"Fn::Sub"}:
        inner = value["Fn::Sub"]
        text, *variables = [inner] if isinstance(inner, str) else inner
        text = PLACEHOLDER.sub(lambda match: substitute(match, standins), text)
        return {"Fn::Sub": [text, *replace(variables, standins)] if variables else text}
    return {key: replace(inner, standins) for key, inner in value.items() if key != "DependsOn"} | depends(value, standins)


def substitute(match, standins):
    owner = match[1].split(".")[0]
    if owner not in standins:
        return match[0]
    return flat(standins[owner])


def flat(value):
    """A stand-in as text for the inside of a Sub."""
    return "${" + value["Ref"] + "}" if isinstance(value, dict) else value


def depends(resource, standins):
    """DependsOn without what is gone."""
    if "DependsOn" not in resource:
        return {}
    wanted = resource["DependsOn"]
    wanted = [wanted] if isinstance(wanted, str) else wanted
    left = [name for name in wanted if name not in standins]
    return {"DependsOn": left} if left else {}
