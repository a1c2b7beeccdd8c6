"""Tests of prune.py, with nothing but Python."""

import sys
import unittest

sys.dont_write_bytecode = True
from prune import prune  # noqa: E402

TEMPLATE = {
    "Resources": {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Env": {"SECRET": {"Ref": "Secret"}}}},
        "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Function"}}},
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "DependsOn": ["Api", "Function"],
            "Properties": {
                "FunctionName": {"Ref": "Alias"},
                "SourceArn": {"Fn::Sub": ["arn:${AWS::Region}:${Id}/${Api}", {"Id": {"Ref": "Api"}}]},
                "Other": {"Fn::Sub": "${Secret.Arn}/${Function.Arn}/${Alias}"},
                "Arn": {"Fn::GetAtt": ["Secret", "Arn"]},
            },
        },
        "Secret": {"Type": "AWS::SecretsManager::Secret"},
        "Layered": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Layers": ["a", {"Fn::If": ["C", "b", {"Ref": "AWS::NoValue"}]}], "Kms": {"Fn::If": ["C", "k", {"Ref": "AWS::NoValue"}]}},
        },
        "Fifo": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}},
        "Standard": {"Type": "AWS::SQS::Queue", "Properties": {}},
        "Named": {"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True, "QueueName": "own.fifo"}},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Uri": {"Fn::Sub": "${Alias}"}}},
    },
    "Outputs": {
        "Url": {"Value": {"Fn::Sub": "https://${Api}.example"}},
        "Name": {"Value": {"Ref": "Function"}},
    },
}
SUPPORTED = {"AWS::Lambda::Function", "AWS::Lambda::Permission", "AWS::SQS::Queue"}


class Prune(unittest.TestCase):
    def setUp(self):
        self.pruned, self.dropped = prune(TEMPLATE, SUPPORTED)

    def test_everything_dropped_is_named(self):
        self.assertEqual(
            self.dropped,
            {
                "AWS::Lambda::Alias": ["Alias"],
                "AWS::SecretsManager::Secret": ["Secret"],
                "AWS::ApiGatewayV2::Api": ["Api"],
                "Output": ["Url"],
                "optional element of a list": ["Layered"],
                "made-up name of a FIFO queue": ["Fifo"],
            },
        )

    def test_optional_elements_of_lists_are_left_out(self):
        properties = self.pruned["Resources"]["Layered"]["Properties"]
        self.assertEqual(properties["Layers"], ["a"])
        self.assertIn("Fn::If", properties["Kms"])

    def test_fifo_queues_without_a_name_get_one(self):
        names = {name: r["Properties"].get("QueueName") for name, r in self.pruned["Resources"].items() if r["Type"] == "AWS::SQS::Queue"}
        self.assertEqual(names, {"Fifo": "rehearsal-Fifo.fifo", "Standard": None, "Named": "own.fifo"})

    def test_references_get_stand_ins(self):
        self.assertEqual(
            self.pruned["Resources"]["Permission"],
            {
                "Type": "AWS::Lambda::Permission",
                "DependsOn": ["Function"],
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "SourceArn": {"Fn::Sub": ["arn:${AWS::Region}:${Id}/rehearsal-Api", {"Id": "rehearsal-Api"}]},
                    "Other": {"Fn::Sub": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rehearsal-Secret/${Function.Arn}/${Function}"},
                    "Arn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rehearsal-Secret",
                },
            },
        )
        self.assertEqual(self.pruned["Resources"]["Function"]["Properties"], {"Env": {"SECRET": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rehearsal-Secret"}})

    def test_outputs_of_what_stays_stay(self):
        self.assertEqual(list(self.pruned["Outputs"]), ["Name"])

    def test_template_with_nothing_to_drop_is_unchanged(self):
        everything = {r["Type"] for r in TEMPLATE["Resources"].values()}
        template = {"Resources": {name: r for name, r in TEMPLATE["Resources"].items() if name not in ("Layered", "Fifo")}, "Outputs": TEMPLATE["Outputs"]}
        self.assertEqual(prune(template, everything), (template, {}))

    def test_input_is_not_changed(self):
        self.assertIn("Alias", TEMPLATE["Resources"])


if __name__ == "__main__":
    unittest.main()
