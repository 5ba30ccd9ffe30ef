"""Each policy of the template is broken here on purpose: its test has to fail, and has to have been whole before."""

from __future__ import annotations

import copy
import inspect

import pytest
import test_template
import test_watching

RULE_ALARM = "MailHeardAlarm"


def properties(template, name):
    return template.resources[name]["Properties"]


def put(*path):
    """A change: the last of the path is put where the others lead, below the properties of a resource."""
    *keys, last, value = path

    def change(template):
        at = template.resources[keys[0]]["Properties"]
        for key in keys[1:]:
            at = at[key]
        at[last] = value

    return change


def remove(resource):
    return lambda template: template.resources.pop(resource)


def allow(role, action, resource):
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}

    def change(template):
        properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"].append(statement)

    return change


def parameter(name, value):
    def change(template):
        template.parameters[name]["Default"] = value

    return change


def without_a_deletion_policy(template):
    del template.resources["UnsubscribeKeySecret"]["DeletionPolicy"]


def without_waiting_for_a_route(template):
    template.resources["DefaultStage"]["DependsOn"].remove("HostedFormRoute")


def without_an_output(template):
    del template.outputs["FeedbackMappingId"]


LEDGER = {"GetAtt": "LedgerTable.Arn"}
STATEMENT = ("PolicyDocument", "Statement", 0)
# What is broken -> the test that has to say so, and what else it is given.
BROKEN = [
    ("every_route_but_the_public_ones_asks_for_a_token", put("AuthenticatedRoute", "AuthorizationType", "NONE")),
    ("every_route_but_the_public_ones_asks_for_a_token", put("WidgetRoute", "RouteKey", "ANY /api/public/x")),
    ("no_function_can_be_called_around_the_gateway", put("ReferralsApiFunction", "FunctionUrlConfig", {})),
    ("no_function_can_be_called_around_the_gateway", put("PublicCapturePermission", "SourceArn", "")),
    ("every_queue_that_feeds_a_function_gives_up_into_a_dead_letter_queue",
     put("DealQueue", "RedrivePolicy", "maxReceiveCount", 1000)),
    ("every_rule_goes_to_a_queue_and_gives_up_into_another",
     put("DealToldRule", "Targets", 0, "DeadLetterConfig", "Arn", {"GetAtt": "DealQueue.Arn"})),
    ("no_address_rests_in_a_queue",
     put("MailHeardRule", "Targets", 0, "InputTransformer", "InputPathsMap", "tags", "$.detail.mail.destination")),
    ("no_address_rests_in_a_queue", remove(RULE_ALARM)),
    ("what_is_told_of_deals_and_of_links_goes_to_one_function",
     put("DealToldRule", "EventPattern", "detail-type", ["DEAL_WON"])),
    ("only_its_rules_may_write_to_a_queue",
     put("DealQueuePolicy", *STATEMENT, "Principal", "*")),
    ("every_dead_letter_queue_keeps_two_weeks_and_has_an_alarm",
     put("DealDeadLetterQueue", "MessageRetentionPeriod", 60)),
    ("every_dead_letter_queue_keeps_two_weeks_and_has_an_alarm", remove("RelayDeadLetterAlarm")),
    ("every_dead_letter_queue_keeps_two_weeks_and_has_an_alarm", put("DealDeadLetterAlarm", "Threshold", 100)),
    ("every_function_that_fails_wakes_somebody", remove("DealWonErrorsAlarm")),
    ("every_function_that_fails_wakes_somebody", put("MessengerErrorsAlarm", "MetricName", "Invocations")),
    ("every_function_that_fails_wakes_somebody", remove("ThrottlesAlarm")),
    ("a_slow_relay_and_answers_of_500_wake_somebody", put("RelayLagAlarm", "Threshold", 86_400_000)),
    ("a_slow_relay_and_answers_of_500_wake_somebody", remove("ApiFaultsAlarm")),
    ("every_alarm_wakes_the_same_people_and_is_quiet_without_news", put("PoisonAlarm", "AlarmActions", [])),
    ("every_alarm_wakes_the_same_people_and_is_quiet_without_news", put(RULE_ALARM, "TreatMissingData", "missing")),
    ("what_only_logs_tell_is_counted_and_wakes_somebody", remove("UnknownMessageAlarm")),
    ("what_only_logs_tell_is_counted_and_wakes_somebody", remove("SweeperPoisonFilter")),
    ("what_is_counted_is_what_the_functions_say",
     put("UnknownMessageFilter", "FilterPattern", '{ $.message = "nobody says so" }')),
    ("the_dashboard_shows_what_the_functions_measure", put("OutboxAgeAlarm", "MetricName", "NobodyMeasures")),
    ("the_dashboard_shows_what_the_functions_measure", put("Dashboard", "DashboardBody", {"Sub": '{"widgets": []}'})),
    ("the_runbook_has_a_section_for_each_alarm", remove("PoisonAlarm")),
    ("the_api_turns_a_flood_away_and_the_public_form_first", parameter("PublicPerSecond", 10_000)),
    ("the_api_turns_a_flood_away_and_the_public_form_first", put("DefaultStage", "RouteSettings", {})),
    ("the_api_turns_a_flood_away_and_the_public_form_first",
     put("DefaultStage", "RouteSettings", "ANY /r/{proxy+}", {})),
    ("a_stage_waits_for_the_routes_that_it_names", without_waiting_for_a_route),
    ("every_mapping_can_be_switched_off_by_an_output", without_an_output),
    ("whoever_writes_to_the_ledger_can_be_kept_out_by_the_guide",
     allow("OutboxSweeperRole", "dynamodb:PutItem", LEDGER)),
    ("a_queue_that_nobody_reads_wakes_somebody_long_before_sqs_forgets", remove("FeedbackQueueAgeAlarm")),
    ("a_queue_that_nobody_reads_wakes_somebody_long_before_sqs_forgets", put("DealQueueAgeAlarm", "Threshold", 300)),
    ("a_queue_that_nobody_reads_wakes_somebody_long_before_sqs_forgets",
     put("ImportQueueAgeAlarm", "Threshold", 3600)),
    ("every_queue_is_encrypted_and_no_log_is_kept_for_ever", put("DealQueue", "SqsManagedSseEnabled", False)),
    ("every_queue_is_encrypted_and_no_log_is_kept_for_ever", put("MessengerLogGroup", "RetentionInDays", None)),
    ("every_function_has_a_log_group_and_a_role_of_its_own",
     put("DealWonFunction", "Role", {"GetAtt": "MessengerRole.Arn"})),
    ("no_role_may_do_anything_to_everything", allow("DealWonRole", "dynamodb:GetItem", "*")),
    ("no_role_may_do_anything_to_everything", allow("DealWonRole", "dynamodb:*", LEDGER)),
    ("only_the_messenger_sends_and_only_to_people", allow("DealWonRole", "ses:SendEmail", LEDGER)),
    ("nobody_may_scan", allow("ReferralsApiRole", "dynamodb:Scan", LEDGER)),
    ("imports_are_announced_to_nobody_and_leave_room",
     allow("ImportWorkerRole", "dynamodb:PutItem", {"GetAtt": "OutboxTable.Arn"})),
    ("imports_are_announced_to_nobody_and_leave_room", put("ImportWorkerMapping", "BatchSize", 10)),
    ("only_who_empties_the_outbox_publishes_and_they_cannot_read_the_ledger",
     allow("DealWonRole", "events:PutEvents", {"GetAtt": "EventBus.Arn"})),
    ("only_who_empties_the_outbox_publishes_and_they_cannot_read_the_ledger",
     allow("EventRelayRole", "dynamodb:GetItem", LEDGER)),
    ("only_an_operator_calls_the_reconciliation_and_it_reaches_the_ledger_alone",
     put("UnsubscribePermission", "FunctionName", {"Ref": "LedgerReconcileFunction"})),
    ("what_the_clock_calls_it_calls_as_often_as_it_is_needed",
     put("OutboxSweeperSchedule", "ScheduleExpression", "rate(1 hour)")),
    ("a_message_stays_hidden_longer_than_its_function_may_take", put("DealWonFunction", "Timeout", 60)),
    ("every_mapping_answers_message_by_message", put("DealWonMapping", "FunctionResponseTypes", [])),
    ("the_relay_reads_new_work_only_and_blocks_on_nothing",
     put("EventRelayMapping", "BisectBatchOnFunctionError", False)),
    ("cors_is_open_without_credentials", put("HttpApi", "CorsConfiguration", "AllowCredentials", True)),
    ("tables_survive_mistakes_and_are_encrypted", put("LedgerTable", "SSESpecification", {"SSEEnabled": False})),
    ("the_links_in_mails_outlive_the_stack", without_a_deletion_policy),
]  # fmt: skip


def policies():
    """Name -> test, of both files."""
    found = {**vars(test_template), **vars(test_watching)}
    return {name.removeprefix("test_"): test for name, test in found.items() if name.startswith("test_")}


def holds(policy, template, root):
    """Runs a policy's test, with each of its parameters."""
    wanted = inspect.signature(policy).parameters
    given = {name: value for name, value in {"template": template, "root": root}.items() if name in wanted}
    cases = [{}]
    for mark in getattr(policy, "pytestmark", []):
        name, values = mark.args
        cases = [{name: value} for value in values]
    for case in cases:
        policy(**given, **case)


@pytest.mark.parametrize("place", range(len(BROKEN)), ids=lambda place: f"{place}_{BROKEN[place][0]}"[:60])
def test_a_broken_policy_is_noticed(template, root, place):
    name, change = BROKEN[place]
    policy = policies()[name]
    holds(policy, template, root)
    broken = copy.deepcopy(template)
    change(broken)
    with pytest.raises((AssertionError, KeyError, TypeError, ValueError)):
        holds(policy, broken, root)


def test_every_policy_is_broken_once():
    assert policies().keys() == {name for name, _ in BROKEN}
