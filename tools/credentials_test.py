#!/usr/bin/env python3
"""Tests tools/credentials with a stand-in for AWS on this machine. Nothing leaves it."""

import contextlib
import http.server
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

TOOL = pathlib.Path(__file__).with_name("credentials")
KEYS = {"AWS_ACCESS_KEY_ID": "invented", "AWS_SECRET_ACCESS_KEY": "invented"}
REGION = {"AWS_DEFAULT_REGION": "eu-central-1"}
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::123456789012:user/maria</Arn><UserId>U</UserId><Account>123456789012</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
REFUSAL = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"


@contextlib.contextmanager
def sts(status, body):
    """A server that gives every request one answer; yields its URL and the requests' Authorization headers."""
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


class CredentialsTest(unittest.TestCase):
    def run_tool(self, variables, samconfig="", profiles=""):
        """Runs the tool for prod; returns whether it passes and what it prints."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "samconfig.toml").write_text(samconfig, encoding="utf-8")
            (folder / "config").write_text(profiles, encoding="utf-8")
            environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
            environment |= {"AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
            environment |= {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"} | variables
            done = subprocess.run(
                [sys.executable, str(TOOL), "--samconfig", str(folder / "samconfig.toml"), "prod"],
                env=environment, capture_output=True, text=True,
            )
            self.assertNotIn("Traceback", done.stderr)
            return done.returncode == 0, done.stdout + done.stderr

    def refuses(self, want, variables, **files):
        passed, printed = self.run_tool(variables, **files)
        self.assertFalse(passed, printed)
        self.assertIn(want, printed)

    def test_says_what_is_missing(self):
        self.refuses("There are no AWS credentials. To choose a profile: export AWS_PROFILE=name.", REGION)
        self.refuses("There is no AWS region. To set it: export AWS_DEFAULT_REGION=", KEYS)
        self.refuses("(the SAM CLI does not read AWS_REGION). To set it: export AWS_DEFAULT_REGION=us-east-1", KEYS | {"AWS_REGION": "us-east-1"})
        self.refuses("There is no AWS profile maria. To make it: aws configure --profile maria", REGION | {"AWS_PROFILE": "maria"})

    def test_false_credentials(self):
        with sts(403, REFUSAL) as (url, seen):
            self.refuses("AWS refuses the credentials (InvalidClientTokenId).", KEYS | REGION | {"AWS_ENDPOINT_URL_STS": url})
        self.assertEqual(len(seen), 1)

    def test_no_network(self):
        with sts(200, IDENTITY) as (url, _):
            closed = url
        self.refuses("AWS does not answer", KEYS | REGION | {"AWS_ENDPOINT_URL_STS": closed})

    def test_says_who_deploys(self):
        with sts(200, IDENTITY) as (url, _):
            passed, printed = self.run_tool(KEYS | REGION | {"AWS_ENDPOINT_URL_STS": url})
        self.assertTrue(passed, printed)
        self.assertEqual(printed, "deploying as arn:aws:iam::123456789012:user/maria in eu-central-1\n")

    def test_profile_and_region(self):
        profiles = "".join(
            f"[profile {name}]\naws_access_key_id = {name}\naws_secret_access_key = invented\nregion = eu-north-1\n" for name in ("mine", "theirs")
        )
        with sts(200, IDENTITY) as (url, seen):
            base = {"AWS_ENDPOINT_URL_STS": url, "AWS_PROFILE": "mine"}
            for samconfig, key, region in (
                ("", "mine", "eu-north-1"),
                ('[prod.deploy.parameters]\nprofile = "theirs"\n', "theirs", "eu-north-1"),
                ('[prod.global.parameters]\nprofile = "theirs"\nregion = "eu-west-3"\n', "theirs", "eu-west-3"),
            ):
                passed, printed = self.run_tool(base, samconfig=samconfig, profiles=profiles)
                self.assertTrue(passed, printed)
                self.assertIn(f" in {region}\n", printed)
                self.assertIn(f"Credential={key}/", seen[-1])


if __name__ == "__main__":
    unittest.main()
