"""Tests of tools/checkov: `python -m unittest discover --start-directory tools --pattern '*_test.py'`."""

import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("tools_" + name, str(pathlib.Path(__file__).with_name(name)))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


checkov = load("checkov")
FOUND = {("CKV_1", "AWS::X"): ("Ensure that x", ["A", "B", "A"])}


class Compare(unittest.TestCase):
    def test_skipped_failure_is_fine(self):
        self.assertEqual(checkov.compare(FOUND, {("CKV_1", "AWS::X")}), [])

    def test_unexplained_failure_is_named_with_its_resources(self):
        self.assertEqual(checkov.compare(FOUND, set()), ["CKV_1 AWS::X (A, B): Ensure that x: correct it, or add a line with the reason to checkov-skips.txt"])

    def test_skip_of_another_type_does_not_cover(self):
        faults = checkov.compare(FOUND, {("CKV_1", "AWS::Y")})
        self.assertEqual(len(faults), 2, faults)

    def test_skip_that_is_not_needed_is_named(self):
        faults = checkov.compare({}, {("CKV_1", "AWS::X")})
        self.assertEqual(faults, ["CKV_1 AWS::X is skipped, but nothing fails it: remove the line from checkov-skips.txt"])


class ReadSkips(unittest.TestCase):
    def test_reason_is_needed(self):
        skips, faults = checkov.read_skips("# comment\n\nCKV_1 AWS::X\nCKV_2 AWS::X because\nCKV_3 AWS::X it is paid for by request\n")
        self.assertEqual(skips, {("CKV_3", "AWS::X")})
        self.assertEqual([f.split(": ")[0] for f in faults], ["checkov-skips.txt:3", "checkov-skips.txt:4"])


if __name__ == "__main__":
    unittest.main()
