"""Policies of template.yaml that no linter knows."""

from __future__ import annotations

import json
import re

import yaml
from template import listed, named

# Listing streams asks which there are, so it cannot name one; a telephone number has no name to AWS, and X-Ray has
# no resources.
WILDCARDS = {
    ("dynamodb:ListStreams", "${OutboxTable.Arn}/stream/*"),
    ("sns:Publish", "*"),
    ("sns:CheckIfPhoneNumberIsOptedOut", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("xray:PutTraceSegments", "*"),
}
# Rules for events that name addresses.
ABOUT_MAILS = ("MailHeardRule", "MailBouncedRule")


def test_every_route_but_the_public_ones_asks_for_a_token(template):
    public = []
    for name, route in template.of_type("AWS::ApiGatewayV2::Route").items():
        method, _, path = route["RouteKey"].partition(" ")
        if method == "OPTIONS":
            # A preflight never carries a token.
            assert route["AuthorizationType"] == "NONE", name
            continue
        if path in {"/api/public", "/r"} or path.startswith(("/api/public/", "/r/", "/u/", "/widget/")):
            public.append(path)
            assert route["AuthorizationType"] == "NONE", name
            continue
        assert route["AuthorizationType"] == "JWT", name
        authorizer = template.properties(route["AuthorizerId"], "AWS::ApiGatewayV2::Authorizer")
        assert authorizer["AuthorizerType"] == "JWT", name
        assert authorizer["JwtConfiguration"]["Audience"], name
    assert sorted(public) == [
        "/api/public",
        "/api/public/{proxy+}",
        "/r",
        "/r/{proxy+}",
        "/u/{token}",
        "/widget/{proxy+}",
    ]


def test_no_function_can_be_called_around_the_gateway(template):
    assert not any("Events" in function or "FunctionUrlConfig" in function for function in template.functions.values())
    for name, permission in template.of_type("AWS::Lambda::Permission").items():
        assert permission["Action"] == "lambda:InvokeFunction", name
        assert permission["SourceArn"], name


def test_every_queue_that_feeds_a_function_gives_up_into_a_dead_letter_queue(template):
    for name in template.feeding_queues:
        redrive = template.properties({"Ref": name}, "AWS::SQS::Queue")["RedrivePolicy"]
        assert redrive["maxReceiveCount"] == 5, name
        assert named(redrive["deadLetterTargetArn"]) != name


def event_rules(template):
    """Rules for events of the bus; those with a schedule call a function that a missed call does not harm."""
    return {name: rule for name, rule in template.of_type("AWS::Events::Rule").items() if "EventPattern" in rule}


def test_every_rule_goes_to_a_queue_and_gives_up_into_another(template):
    for name, rule in event_rules(template).items():
        for target in rule["Targets"]:
            template.properties(target["Arn"], "AWS::SQS::Queue")
            if name not in ABOUT_MAILS:
                assert target["DeadLetterConfig"]["Arn"] != target["Arn"], name


def test_no_address_rests_in_a_queue(template, root):
    """SES's events name addresses: what the rules hand on of the golden ones is the golden messages, and no more."""
    golden = root / "events" / "ses"
    seen = set()
    for name in ABOUT_MAILS:
        rule = template.resources[name]["Properties"]
        # Nowhere else than on the default bus does SES tell anything.
        assert "EventBusName" not in rule
        assert rule["EventPattern"]["source"] == ["aws.ses"]
        tags = rule["EventPattern"]["detail"]["mail"]["tags"]
        assert tags == {"ses:configuration-set": [{"Ref": "MailConfigurationSet"}]}
        (target,) = rule["Targets"]
        assert "DeadLetterConfig" not in target, name
        alarms = [entry for entry in template.of_type("AWS::CloudWatch::Alarm").values() if watches(entry, name)]
        assert [(entry["Namespace"], entry["MetricName"]) for entry in alarms] == [("AWS/Events", "FailedInvocations")]
        for path in golden.glob("*.json"):
            event = json.loads(path.read_text())
            if path.name.endswith(".queued.json") or event["detail-type"] not in rule["EventPattern"]["detail-type"]:
                continue
            seen.add(path.stem)
            queued = json.loads((golden / f"{path.stem}.queued.json").read_text())
            assert transformed(target["InputTransformer"], event) == queued
            assert "@" not in json.dumps(queued)
    assert seen == {"delivered", "bounced", "complained"}


def watches(alarm, rule):
    return {"Name": "RuleName", "Value": {"Ref": rule}} in alarm.get("Dimensions", [])


def transformed(transformer, event):
    """What EventBridge makes of an event."""
    values = {}
    for name, path in transformer["InputPathsMap"].items():
        value = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        values[f"<{name}>"] = json.dumps(value)
    return json.loads(re.sub(r"<\w+>", lambda found: values[found[0]], transformer["InputTemplate"]))


def test_what_is_told_of_deals_and_of_links_goes_to_one_function(template):
    patterns = {
        name: rule["EventPattern"]
        for name, rule in event_rules(template).items()
        if named(rule["Targets"][0]["Arn"]) == "DealQueue"
    }
    assert patterns == {
        "DealToldRule": {"detail-type": ["DEAL_WON", "deal.won", "deal.closed_won", "DEAL_REOPENED", "DEAL_LOST"]},
        "ReferralLinkedRule": {
            "source": ["winnerr.referrals"],
            "detail-type": ["LEAD_ENTERED_PIPELINE", "REFERRAL_LINKED"],
        },
    }
    assert template.feeding_queues["DealQueue"] == "DealWonFunction"


def test_only_its_rules_may_write_to_a_queue(template):
    targets = {}
    for name, rule in event_rules(template).items():
        for target in rule["Targets"]:
            for arn in (target["Arn"], target.get("DeadLetterConfig", {}).get("Arn")):
                if arn:
                    targets.setdefault(named(arn), set()).add(name)
    allowed = {}
    for policy in template.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert statement["Action"] == "sqs:SendMessage"
            (queue,) = {named(queue) for queue in policy["Queues"]}
            assert named(statement["Resource"]) == queue
            allowed[queue] = {named(rule) for rule in listed(statement["Condition"]["ArnEquals"]["aws:SourceArn"])}
    assert allowed == targets


def test_the_api_turns_a_flood_away_and_the_public_form_first(template, root):
    (stage,) = template.of_type("AWS::ApiGatewayV2::Stage").values()
    keys = set(template.form_routes.values())
    # Whatever of it the golden requests know.
    golden = [json.loads(path.read_text()) for path in (root / "events" / "http").glob("*.json")]
    sent = {
        event["routeKey"]
        for event in golden
        if "routeKey" in event and event["requestContext"]["http"]["method"] == "POST"
    }
    assert len(sent & keys) > 1
    assert keys <= stage["RouteSettings"].keys()
    default = stage["DefaultRouteSettings"]
    for key in keys:
        for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
            assert template.number(default[limit]) > template.number(stage["RouteSettings"][key][limit]) > 0, key


def test_a_stage_waits_for_the_routes_that_it_names(template):
    """API Gateway knows no setting of a route that is not there yet, so a first deployment would fail."""
    routes = {route["RouteKey"]: name for name, route in template.of_type("AWS::ApiGatewayV2::Route").items()}
    for name, stage in template.of_type("AWS::ApiGatewayV2::Stage").items():
        assert {routes[key] for key in stage["RouteSettings"]} <= set(template.resources[name]["DependsOn"])


def test_whoever_writes_to_the_ledger_can_be_kept_out_by_the_guide(template, root):
    guide = (root / "infra" / "docs" / "DEPLOY.md").read_text()
    (mappings,) = re.findall('^MAPPINGS="(.+)"$', guide, re.M)
    (writers,) = re.findall('^WRITERS="(.+)"$', guide, re.M)
    reading = {
        named(template.mappings[named(template.outputs[output]["Value"])]["FunctionName"])
        for output in mappings.split()
    }
    assert reading == set(template.feeding_queues.values())
    changes = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
    roles = {role for role, action, on in template.statements() if action in changes and "LedgerTable" in str(on)}
    writing = {name for name, function in template.functions.items() if named(function["Role"]) in roles}
    # Nobody but an operator calls it, who keeps the others out.
    writing.remove("LedgerReconcileFunction")
    assert {*writers.split(), *reading} == writing


def test_every_mapping_can_be_switched_off_by_an_output(template):
    told = {named(output["Value"]) for name, output in template.outputs.items() if name.endswith("MappingId")}
    assert told == template.mappings.keys()


def test_every_function_has_a_log_group_and_a_role_of_its_own(template):
    groups, roles = {}, {}
    for name, function in template.functions.items():
        group, role = function["LoggingConfig"]["LogGroup"], function["Role"]
        assert template.number(template.properties(group, "AWS::Logs::LogGroup")["RetentionInDays"]) > 0, name
        template.properties(role, "AWS::IAM::Role")
        assert groups.setdefault(named(group), name) == name
        assert roles.setdefault(named(role), name) == name
        written = {
            named(resource)
            for owner, action, resource in template.statements()
            if owner == named(role) and action.startswith("logs:")
        }
        assert written == {named(group)}, name


def test_no_role_may_do_anything_to_everything(template):
    for role, action, resource in template.statements():
        assert "*" not in action, f"{role}: {action}"
        if "*" in str(resource):
            text = resource if isinstance(resource, str) else resource["Sub"]
            assert (action, text) in WILDCARDS, f"{role}: {action} on {resource}"


def test_only_the_messenger_sends_and_only_to_people(template):
    sending = {
        (role, action) for role, action, _ in template.statements() if action.startswith(("ses:", "sns:", "sms-voice:"))
    }
    assert sending == {
        ("MessengerRole", action)
        for action in ("ses:SendEmail", "ses:SendRawEmail", "sns:Publish", "sns:CheckIfPhoneNumberIsOptedOut")
    }
    (policy,) = template.properties({"Ref": "MessengerRole"}, "AWS::IAM::Role")["Policies"]
    denied = [entry for entry in policy["PolicyDocument"]["Statement"] if entry["Effect"] == "Deny"]
    topics = {"Sub": "arn:${AWS::Partition}:sns:*:*:*"}
    assert denied == [{"Effect": "Deny", "Action": "sns:Publish", "Resource": topics}]


def test_nobody_may_scan(template):
    actions = {action.lower() for _, action, _ in template.statements()}
    assert "dynamodb:getitem" in actions
    assert not actions & {"dynamodb:scan", "dynamodb:partiqlselect", "dynamodb:executestatement"}


def test_imports_are_announced_to_nobody_and_leave_room(template):
    role = named(template.functions["ImportWorkerFunction"]["Role"])
    reached = {str(resource) for owner, _, resource in template.statements() if owner == role}
    assert not any("OutboxTable" in resource for resource in reached)
    mapping = template.mappings["ImportWorkerMapping"]
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})
    assert template.feeding_queues["ImportQueue"] == "ImportWorkerFunction"


def test_only_who_empties_the_outbox_publishes_and_they_cannot_read_the_ledger(template):
    emptying = {named(template.functions[name]["Role"]) for name in ("EventRelayFunction", "OutboxSweeperFunction")}
    publishers = {role for role, action, _ in template.statements() if action == "events:PutEvents"}
    assert publishers == emptying
    reached = {str(resource) for role, _, resource in template.statements() if role in emptying}
    assert not any("LedgerTable" in resource for resource in reached)


def test_only_an_operator_calls_the_reconciliation_and_it_reaches_the_ledger_alone(template):
    called = {named(permission["FunctionName"]) for permission in template.of_type("AWS::Lambda::Permission").values()}
    assert "LedgerReconcileFunction" not in called
    role = named(template.functions["LedgerReconcileFunction"]["Role"])
    allowed = {(action, str(resource)) for owner, action, resource in template.statements() if owner == role}
    assert not any("OutboxTable" in resource or "events:" in action for action, resource in allowed)


def test_what_the_clock_calls_it_calls_as_often_as_it_is_needed(template):
    schedules = [rule for rule in template.of_type("AWS::Events::Rule").values() if "ScheduleExpression" in rule]
    called = {named(rule["Targets"][0]["Arn"]): rule["ScheduleExpression"] for rule in schedules}
    assert called == {
        "CaptureExpiryFunction": "rate(1 day)",
        "HoldReleaseFunction": "rate(1 minute)",
        "OutboxSweeperFunction": "rate(1 minute)",
    }


def test_a_message_stays_hidden_longer_than_its_function_may_take(template):
    for name, function in template.feeding_queues.items():
        queue = template.properties({"Ref": name}, "AWS::SQS::Queue")
        timeout = template.functions[function].get("Timeout", template.defaults["Timeout"])
        assert template.number(queue["VisibilityTimeout"]) >= 6 * timeout, name


def test_every_mapping_answers_message_by_message(template):
    for name, mapping in template.mappings.items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name


def test_the_relay_reads_new_work_only_and_blocks_on_nothing(template):
    stream = {"GetAtt": "OutboxTable.StreamArn"}
    (mapping,) = [mapping for mapping in template.mappings.values() if mapping["EventSourceArn"] == stream]
    (pattern,) = [entry["Pattern"] for entry in mapping["FilterCriteria"]["Filters"]]
    assert yaml.safe_load(pattern) == {
        "eventName": ["INSERT"],
        "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "PENDING#"}]}}},
    }
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] > 0
    assert mapping["MaximumRecordAgeInSeconds"] > 0
    template.properties(mapping["DestinationConfig"]["OnFailure"]["Destination"], "AWS::SQS::Queue")


def test_cors_is_open_without_credentials(template):
    (api,) = template.of_type("AWS::ApiGatewayV2::Api").values()
    cors = api["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowCredentials"]) == (["*"], False)
    assert sorted(cors["AllowHeaders"]) == ["authorization", "content-type", "idempotency-key", "if-match"]
    assert sorted(cors["ExposeHeaders"]) == ["etag", "link", "location", "retry-after", "x-request-id"]


def test_tables_survive_mistakes_and_are_encrypted(template):
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        assert table["SSESpecification"] == {"SSEEnabled": True}, name
        if name == "RateLimitTable":
            continue  # Counters of minutes: gone, they begin again at nought.
        assert template.resources[name]["DeletionPolicy"] == "Retain", name
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}, name


def test_the_links_in_mails_outlive_the_stack(template):
    secret = template.resources["UnsubscribeKeySecret"]
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == ("Retain", "Retain")
