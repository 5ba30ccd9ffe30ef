"""template.yaml, as its policies ask for it."""

from __future__ import annotations

import yaml


class Loader(yaml.SafeLoader):
    """Reads `!Ref X` as {"Ref": "X"} and `!GetAtt X.Y` as {"GetAtt": "X.Y"}."""


def _function(loader, name, node):
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    return {name: node.value}


Loader.add_multi_constructor("!", _function)


class Template:
    def __init__(self, document):
        self.parameters = document["Parameters"]
        self.defaults = document["Globals"]["Function"]
        self.resources = document["Resources"]
        self.outputs = document["Outputs"]

    def of_type(self, kind):
        found = {name: entry["Properties"] for name, entry in self.resources.items() if entry["Type"] == kind}
        assert found, f"no {kind} in the template"
        return found

    def properties(self, reference, kind):
        """What `!Ref` or `!GetAtt` refers to."""
        name = named(reference)
        assert self.resources[name]["Type"] == kind
        return self.resources[name]["Properties"]

    def number(self, value):
        return self.parameters[value["Ref"]]["Default"] if isinstance(value, dict) else value

    @property
    def functions(self):
        return self.of_type("AWS::Serverless::Function")

    @property
    def mappings(self):
        return self.of_type("AWS::Lambda::EventSourceMapping")

    @property
    def feeding_queues(self):
        """Queue -> the function that it feeds."""
        sources = {named(entry["EventSourceArn"]): named(entry["FunctionName"]) for entry in self.mappings.values()}
        queues = self.of_type("AWS::SQS::Queue")
        found = {name: function for name, function in sources.items() if name in queues}
        assert found
        return found

    @property
    def form_routes(self):
        """Name -> key of each route by which the form is sent. Of public-capture's own, a bare path leads to nobody's
        form, and the widget's script is only read."""
        integrations = {
            name
            for name, entry in self.of_type("AWS::ApiGatewayV2::Integration").items()
            if named(entry["IntegrationUri"]) == "PublicCaptureFunction"
        }
        targets = [f"integrations/${{{name}}}" for name in integrations]
        keys = {
            name: route["RouteKey"]
            for name, route in self.of_type("AWS::ApiGatewayV2::Route").items()
            if route["Target"]["Sub"] in targets
        }
        found = {name: key for name, key in keys.items() if "{" in key and " /widget/" not in key}
        assert found
        return found

    @property
    def dead_letter_queues(self):
        """Every queue that something gives up into."""
        found = {
            named(entry["RedrivePolicy"]["deadLetterTargetArn"])
            for entry in self.of_type("AWS::SQS::Queue").values()
            if "RedrivePolicy" in entry
        }
        for rule in self.of_type("AWS::Events::Rule").values():
            found |= {
                named(target["DeadLetterConfig"]["Arn"]) for target in rule["Targets"] if "DeadLetterConfig" in target
            }
        for mapping in self.mappings.values():
            if "DestinationConfig" in mapping:
                found.add(named(mapping["DestinationConfig"]["OnFailure"]["Destination"]))
        return found

    def statements(self):
        """(role, action, resource), one by one."""
        for role, properties in self.of_type("AWS::IAM::Role").items():
            assert "ManagedPolicyArns" not in properties, role
            for policy in properties["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    if statement["Effect"] == "Deny":
                        continue
                    assert not statement.keys() & {"NotAction", "NotResource"}, role
                    for action in listed(statement["Action"]):
                        for resource in listed(statement["Resource"]):
                            yield role, action, resource


def named(reference):
    ((function, value),) = reference.items()
    assert function in ("Ref", "GetAtt")
    return value.split(".")[0]


def listed(value):
    return value if isinstance(value, list) else [value]


def read(path):
    return Template(yaml.load(path.read_text(), Loader=Loader))  # noqa: S506 - a SafeLoader
