"""Where one instance of the local stack lives and with which template parameters it is deployed.

Everything comes from the environment, so that two instances differ in their variables only.
"""

from __future__ import annotations

import os
import platform
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi

from failure import Failure

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
DEMO_DATA = ROOT / "infra" / "local" / "demo.json"

HOST = "127.0.0.1"
REGION = "us-east-1"
# The emulator takes any credentials. These say that they are not real ones.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

FUNCTIONS = (
    "public-capture",
    "event-relay",
    "outbox-sweeper",
    "pipeline-entry",
    "deal-won",
    "hold-release",
    "capture-expiry",
    "messenger",
    "referrals-api",
    "ledger-reconcile",
    "token-claims",
    "unsubscribe",
    "delivery-feedback",
    "import-worker",
)
ADMIN_TOOL = "referrals-admin"

# Environment variable -> template parameter. What is not set keeps the template's default, also on a running stack.
PARAMETERS = {
    "QUEUE_VISIBILITY_SECONDS": "QueueVisibilitySeconds",
    "SWEEP_AFTER_SECONDS": "SweepAfterSeconds",
    "IMPORT_ROWS_PER_SECOND": "ImportRowsPerSecond",
    "IMPORT_QUEUE_VISIBILITY_SECONDS": "ImportQueueVisibilitySeconds",
    "CAPTURE_IP_PER_MINUTE": "CaptureIpPerMinute",
    "CAPTURE_IP_PER_HOUR": "CaptureIpPerHour",
    "CAPTURE_SLUG_PER_MINUTE": "CaptureSlugPerMinute",
    "CAPTURE_SLUG_PER_DAY": "CaptureSlugPerDay",
    "DEFAULT_REGION": "DefaultRegion",
    "LOG_LEVEL": "LogLevel",
    "LOG_RETENTION_DAYS": "LogRetentionDays",
    "ISSUER": "Issuer",
    "AUDIENCE": "Audience",
    "ORGANIZATION_CLAIM": "OrganizationClaim",
    "USER_CLAIM": "UserClaim",
    "ROLE_CLAIM": "RoleClaim",
    "SENDER_ADDRESS": "SenderAddress",
    "PUBLIC_URL": "PublicUrl",
    "AGENT_PAGE": "AgentPage",
    "SMS_ORIGINATION": "SmsOrigination",
    "CA_BUNDLE": "CaBundle",
    "ALARM_TOPIC_ARN": "AlarmTopicArn",
}


@dataclass(frozen=True)
class Settings:
    directory: Path
    port: int
    stack_name: str
    bin_directory: Path
    enforce_roles: bool
    parameters: Mapping[str, str]

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def artifact_bucket(self) -> str:
        return f"{self.stack_name}-artifacts"

    @property
    def env_file(self) -> Path:
        return self.directory / "dev.env"

    def binary(self, name: str) -> Path:
        return self.bin_directory / name


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    port = environment.get("STACK_PORT", "4566")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise Failure(f"STACK_PORT must be a port number, not {port!r}")
    return Settings(
        directory=(ROOT / environment.get("STACK_DIR", ".local")).resolve(),
        port=int(port),
        stack_name=environment.get("STACK_NAME", "referrals"),
        bin_directory=(ROOT / environment.get("BIN_DIR", "target/debug")).resolve(),
        enforce_roles=environment.get("ENFORCE_ROLES", "false") == "true",
        parameters=_parameters(environment),
    )


def _parameters(environment: Mapping[str, str]) -> dict[str, str]:
    chosen = {
        "Architecture": "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64",
        # The functions run on this machine, so they trust what it trusts.
        "CaBundle": ssl.get_default_verify_paths().cafile or certifi.where(),
        "SenderAddress": "referrals@winnerr.example",
        # Nothing here is worth protecting from a reset.
        "DeletionProtection": "false",
    }
    chosen.update({PARAMETERS[name]: environment[name] for name in PARAMETERS if environment.get(name)})
    return chosen
