"""Deploying and inviting, as far as it is decided before AWS is asked: stages, change sets, invitations, licences."""

from __future__ import annotations

import json

import pytest

import changes
import invitation
import licenses
import stages
from failure import Failure

STAGE = {"stack": "referrals", "region": "eu-central-1", "architecture": "arm64"}
DECLARED = {"SenderAddress": None, "LogLevel": "info", "Issuer": "", "ArtifactPrefix": None}
OURS = {"ArtifactPrefix": "builds/1"}


def written(**content):
    return json.dumps(STAGE | content)


def test_a_stage_is_read_as_it_is_written():
    stage = stages.parse(written(parameters={"SenderAddress": "a@b.example", "LogRetentionDays": 90}))
    assert stage == stages.Stage(
        "referrals", "eu-central-1", "arm64", None, None, {"SenderAddress": "a@b.example", "LogRetentionDays": "90"}
    )
    assert stage.bucket_in("123456789012") == "referrals-artifacts-123456789012-eu-central-1"
    assert stages.parse(written(bucket="our-builds")).bucket_in("123456789012") == "our-builds"


def test_the_example_is_a_stage_whose_parameters_the_template_has(template):
    example = stages.find(stages.EXAMPLE)
    assert example.parameters.keys() <= template.parameters.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[]", "must be an object"),
        ('{"stack": "a", "stack": "b"}', "twice"),
        (json.dumps({"region": "us-east-1", "architecture": "arm64"}), "stack must be"),
        (written(stack="a b"), "stack must be"),
        (written(region="Frankfurt"), "region must be"),
        (written(architecture="amd64"), "x86_64 or arm64"),
        (written(account=123456789012), "twelve digits"),
        (written(bucket="with.dots"), "bucket must be"),
        (written(Region="us-east-1"), "unknown: Region"),
        (written(parameters=[]), "parameters must be an object"),
        (written(parameters={"ArtifactPrefix": "x"}), "ArtifactPrefix is not set there"),
        (written(parameters={"Architecture": "arm64"}), "by architecture"),
        (written(parameters={"DeletionProtection": True}), "text or a whole number"),
        (written(parameters={"AlarmTopicArn": None}), "text or a whole number"),
    ],
)
def test_what_is_wrong_with_a_stage_is_said_with_its_file(tmp_path, text, said):
    (tmp_path / "prod.json").write_text(text)
    with pytest.raises(Failure, match=said) as raised:
        stages.find("prod", tmp_path)
    assert str(raised.value).startswith("infra/stages/prod.json: ")


@pytest.mark.parametrize(
    ("name", "said"), [("", "STAGE="), ("../prod", "small letters"), ("none", r"no infra/stages/none\.json")]
)
def test_a_stage_that_is_none_is_said(tmp_path, name, said):
    with pytest.raises(Failure, match=said):
        stages.find(name, tmp_path)


def told(deployed=(), **parameters):
    stage = stages.parse(written(parameters=parameters))
    return stages.parameters(stage, OURS, DECLARED, set(deployed))


def test_what_is_not_set_has_its_default_at_first_and_stays_as_it_is_later():
    sender = {"ParameterKey": "SenderAddress", "ParameterValue": "a@b.example"}
    prefix = {"ParameterKey": "ArtifactPrefix", "ParameterValue": "builds/1"}
    kept = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Issuer", "LogLevel")]
    assert told(SenderAddress="a@b.example") == [prefix, sender]
    assert told(DECLARED, SenderAddress="a@b.example") == [prefix, sender, *kept]
    # A parameter that is new in the template has no value on the stack; one that left it is not named any more.
    assert told({"Issuer", "Gone"}, SenderAddress="a@b.example") == [prefix, sender, kept[0]]
    # Set once, needed never again.
    assert {"ParameterKey": "SenderAddress", "UsePreviousValue": True} in told(DECLARED)


def test_a_value_that_is_missing_or_for_nothing_is_said():
    with pytest.raises(Failure, match="needs a value of SenderAddress"):
        told()
    with pytest.raises(Failure, match="no parameter SendrAddress"):
        told(SendrAddress="a@b.example", SenderAddress="a@b.example")


def described(resource, kind, action, replacement=None, *properties):
    change = {"LogicalResourceId": resource, "ResourceType": kind, "Action": action}
    if replacement:
        change["Replacement"] = replacement
    change["Details"] = [{"Target": {"Attribute": "Properties", "Name": name}} for name in properties]
    return {"Type": "Resource", "ResourceChange": change}


TABLE, POOL, SECRET = changes.PRECIOUS
HARMLESS = [
    described("LedgerTable", TABLE, "Add"),
    described("LedgerTable", TABLE, "Modify", "False", "GlobalSecondaryIndexes"),
    described("UserPool", POOL, "Modify", "False", "LambdaConfig"),
    described("DealQueue", "AWS::SQS::Queue", "Remove"),
    described("TokenAuthorizer", "AWS::ApiGatewayV2::Authorizer", "Modify", "True", "Name"),
]
LOSSES = [
    described("LedgerTable", TABLE, "Remove"),
    described("LedgerTable", TABLE, "Modify", "True", "KeySchema"),
    described("OutboxTable", TABLE, "Modify", "Conditional", "AttributeDefinitions"),
    described("UserPool", POOL, "Modify", "True", "UsernameAttributes"),
    described("UserPool", POOL, "Remove"),
    described("UnsubscribeKeySecret", SECRET, "Remove"),
    described("CursorKeySecret", SECRET, "Modify", "True", "Name"),
]


def test_what_takes_nothing_away_may_be_done():
    changes.refuse_losses(changes.read(HARMLESS), [])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss["ResourceChange"]["LogicalResourceId"])
def test_what_holds_data_is_replaced_or_removed_only_by_its_name(loss):
    found = changes.read([*HARMLESS[1:], loss])
    name = loss["ResourceChange"]["LogicalResourceId"]
    with pytest.raises(Failure, match=f"REPLACE={name}$"):
        changes.refuse_losses(found, [])
    changes.refuse_losses(found, [name])
    # What may hurt is what is read last.
    assert found[-1].resource == name


def test_each_is_named_by_itself_and_none_for_nothing():
    found = changes.read(LOSSES[2:4])
    with pytest.raises(Failure, match="UserPool"):
        changes.refuse_losses(found, ["OutboxTable"])
    changes.refuse_losses(found, ["OutboxTable", "UserPool"])
    with pytest.raises(Failure, match="names LedgerTable, which"):
        changes.refuse_losses(found, ["OutboxTable", "UserPool", "LedgerTable"])


def test_every_change_is_shown_with_what_becomes_of_it():
    shown = changes.table(changes.read([*HARMLESS[3:], LOSSES[2]])).splitlines()
    assert [line.split() for line in shown] == [
        ["REMOVE", "DealQueue", "AWS::SQS::Queue"],
        ["REPLACE", "TokenAuthorizer", "AWS::ApiGatewayV2::Authorizer", "Name"],
        ["REPLACE?", "OutboxTable", "AWS::DynamoDB::Table", "AttributeDefinitions"],
    ]


def test_whatever_the_template_keeps_is_precious(template):
    kept = {entry["Type"] for entry in template.resources.values() if entry.get("DeletionPolicy") == "Retain"}
    # A queue's dead letters are given another try before its stack goes; nobody else has them.
    assert kept - {"AWS::SQS::Queue", "AWS::Logs::LogGroup"} == set(changes.PRECIOUS)


OWNER = {"STAGE": "prod", "EMAIL": "o@doe.example", "ORGANIZATION": "org_doe", "NAME": "Olivia Grant", "ROLE": "OWNER"}
ORGANIZATION = {"ORGANIZATION_NAME": "Doe Realty", "TIMEZONE": "America/New_York", "COUNTRY": "US"}
PROFILE = {"SLUG": "olivia-grant", "BROKERAGE": "Doe Realty"}


def test_an_invitation_becomes_the_records_of_the_demo(root):
    invited = invitation.read(OWNER | ORGANIZATION | PROFILE | {"PHONE": "+14155550123"})
    records = invitation.records(invited, invitation.user_of("0c1e4a5e-0000-4000-8000-00000000abcd"))
    assert records["members"][0]["userId"] == "user_0c1e4a5e000040008000" + "00000000abcd"
    demo = json.loads((root / "infra" / "local" / "demo.json").read_text())
    for kind, entries in records.items():
        assert entries[0].keys() == max((entry.keys() for entry in demo[kind]), key=len), kind
    # Who is only a member is asked for nothing else.
    assert invitation.records(invitation.read(OWNER), "user_1").keys() == {"members"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"EMAIL": ""}, "missing: EMAIL"),
        ({"NAME": ""}, "missing: NAME"),
        ({"ORGANIZATION": "Doe"}, "ORGANIZATION must be an id"),
        ({"USER_ID": "auth0|12"}, "USER_ID must be an id"),
        ({"ROLE": "owner"}, "ROLE must be one of"),
        ({"ORGANIZATION_NAME": "Doe Realty"}, "go together"),
        ({"SLUG": "olivia"}, "go together"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said(changed, said):
    with pytest.raises(Failure, match=said):
        invitation.read(OWNER | changed)


def test_the_page_of_licences_has_each_package_of_others_once():
    tree = (
        "public-capture v0.1.0 (/home/somebody/referrals/functions/public-capture)|MIT|\n"
        "serde v1.0.229|MIT OR Apache-2.0|https://example.com/serde\n"
        "\n"
        "serde v1.0.229|MIT OR Apache-2.0|https://example.com/serde (*)\n"
        "ring v0.1.0|ISC|\n"
    )
    found = licenses.packages(tree)
    assert found == [
        ("ring", "0.1.0", "ISC", ""),
        ("serde", "1.0.229", "MIT OR Apache-2.0", "https://example.com/serde"),
    ]
    page = licenses.page(found)
    assert "| ring | 0.1.0 | ISC |" in page
    assert "| [serde](https://example.com/serde) | 1.0.229 | MIT OR Apache-2.0 |" in page


@pytest.mark.parametrize(("tree", "said"), [("ring v0.1.0||", "does not say its licence"), ("ring", "unexpected")])
def test_a_licence_that_is_not_said_is_no_line_of_the_page(tree, said):
    with pytest.raises(SystemExit, match=said):
        licenses.packages(tree)
