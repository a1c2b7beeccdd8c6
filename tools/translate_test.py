"""Tests of tools/translate; tests/contract/translated runs them."""

import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from samcli.cli.types import CfnParameterOverridesType


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("tools_" + name, str(pathlib.Path(__file__).with_name(name)))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


translate = load("translate")
TEMPLATE = translate.yaml_parse(pathlib.Path("template.yaml").read_text(encoding="utf-8"))
PARAMETERS = TEMPLATE["Parameters"]


def version(**chosen):
    return translate.config_version(PARAMETERS, chosen)


class ConfigVersion(unittest.TestCase):
    def test_every_parameter_changes_it(self):
        versions = {version()} | {version(**{name: "other"}) for name in PARAMETERS if name != "ConfigVersion"}
        self.assertEqual(len(versions), len(PARAMETERS))

    def test_every_default_changes_it(self):
        for name in PARAMETERS:
            changed = {**PARAMETERS, name: {**PARAMETERS[name], "Default": "other"}}
            self.assertEqual(translate.config_version(changed, {}) == version(), name == "ConfigVersion", name)

    def test_a_chosen_default_and_the_order_do_not_change_it(self):
        self.assertEqual(version(LogLevel=PARAMETERS["LogLevel"]["Default"]), version())
        self.assertEqual(version(Stage="prod", Tracing="Active"), version(Tracing="Active", Stage="prod"))

    def test_an_older_config_version_does_not_change_it(self):
        self.assertEqual(version(ConfigVersion="old"), version())

    def test_the_template_accepts_it(self):
        self.assertRegex(version(), PARAMETERS["ConfigVersion"]["AllowedPattern"])


class Overrides(unittest.TestCase):
    def test_every_environment_has_another_version(self):
        samconfig = translate.tomlkit.parse(pathlib.Path("samconfig.toml").read_text(encoding="utf-8"))
        found = [translate.overrides(TEMPLATE, samconfig, e)["ConfigVersion"] for e in ("default", "staging", "prod")]
        self.assertEqual(len(set(found)), 3)

    def test_the_version_of_the_code_is_passed_and_changes_the_config_version(self):
        samconfig = translate.tomlkit.parse(pathlib.Path("samconfig.toml").read_text(encoding="utf-8"))
        found = [translate.overrides(TEMPLATE, samconfig, "prod", v) for v in (None, "v1.0.0", "v1.0.1")]
        self.assertEqual([f.get("ServiceVersion") for f in found], [None, "v1.0.0", "v1.0.1"])
        self.assertEqual(len({f["ConfigVersion"] for f in found}), 3)

    def test_a_version_in_samconfig_wins(self):
        samconfig = {"prod": {"deploy": {"parameters": {"parameter_overrides": ["ServiceVersion=mine"]}}}}
        self.assertEqual(translate.overrides(TEMPLATE, samconfig, "prod", "v1.0.0")["ServiceVersion"], "mine")

    def test_git_describes_the_version(self):
        with tempfile.TemporaryDirectory() as folder:
            before = os.getcwd()
            os.chdir(folder)
            try:
                self.assertIsNone(translate.service_version(PARAMETERS))
                git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
                for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "a"], ["tag", "v1.4.0"]):
                    subprocess.run(git + command, check=True)
                self.assertEqual(translate.service_version(PARAMETERS), "v1.4.0")
                subprocess.run(git + ["tag", "v(2)"], check=True)
                subprocess.run(git + ["tag", "-d", "v1.4.0"], check=True, capture_output=True)
                self.assertIsNone(translate.service_version(PARAMETERS), "the template does not accept v(2)")
            finally:
                os.chdir(before)

    def test_sam_reads_an_argument_as_it_is(self):
        values = {"Stage": "dev", "PublicCacheControl": "public, max-age=30", "Quoted": 'a "b" c', "HashingConcurrency": ""}
        arguments = tuple(translate.argument(name, value) for name, value in values.items())
        self.assertEqual(CfnParameterOverridesType().convert(arguments, None, None), values)


if __name__ == "__main__":
    unittest.main()
