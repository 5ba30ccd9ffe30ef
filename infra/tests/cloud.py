"""The deployed stack from behind: its bus, queues, tables and logs."""

from __future__ import annotations

import contextlib
import json
import uuid

import boto3
from botocore.config import Config
from waiting import eventually

SOURCE = "winnerr.referrals"
RECEIVED = "REFERRAL_RECEIVED"
ENTERED = "LEAD_ENTERED_PIPELINE"
# Looks in a row that have to find nothing under way.
QUIET_LOOKS = 3
QUIET_SECONDS = 60


def client(stack, service):
    return boto3.client(
        service,
        endpoint_url=stack["AWS_ENDPOINT_URL"],
        region_name=stack["AWS_REGION"],
        config=Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60, proxies={}),
    )


def physical_id(stack, logical_id):
    """What the template's resource of that name is called on this stack."""
    answer = client(stack, "cloudformation").describe_stack_resource(
        StackName=stack["STACK_NAME"], LogicalResourceId=logical_id
    )
    return answer["StackResourceDetail"]["PhysicalResourceId"]


class Function:
    """A function of the stack, called directly or set otherwise for a while."""

    def __init__(self, stack, logical_id):
        self._lambda = client(stack, "lambda")
        self._name = physical_id(stack, logical_id)

    def invoke(self, event):
        answer = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" not in answer, payload
        return payload

    def failure(self, event):
        """What it says when it fails, as it has to."""
        answer = self._lambda.invoke(FunctionName=self._name, Payload=json.dumps(event))
        payload = json.load(answer["Payload"])
        assert "FunctionError" in answer, payload
        return payload["errorMessage"]

    def variables(self):
        return self._lambda.get_function_configuration(FunctionName=self._name)["Environment"]["Variables"]

    @contextlib.contextmanager
    def configured(self, **variables):
        """While it lasts, the function runs with these variables."""
        before = self.variables()
        assert variables.keys() <= before.keys()
        self._configure(before | variables)
        try:
            yield
        finally:
            self._configure(before)

    def _configure(self, variables):
        self._lambda.update_function_configuration(FunctionName=self._name, Environment={"Variables": variables})

        def is_done():
            state = self._lambda.get_function_configuration(FunctionName=self._name)
            # From then on, every call is answered by a process that was started with these.
            return (state["State"], state["LastUpdateStatus"]) == ("Active", "Successful")

        eventually(is_done, 60, "the function runs with its new variables")
        assert self.variables() == variables


class Logs:
    """The log lines of one function."""

    def __init__(self, stack, logical_id):
        self._logs = client(stack, "logs")
        self._group = physical_id(stack, logical_id)

    def naming(self, text):
        """The lines that hold the text, read."""
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, filterPattern=f'"{text}"'
        )
        return [json.loads(event["message"]) for page in pages for event in page["events"]]


class RateLimitTable:
    """The counters of the public door."""

    def __init__(self, stack):
        self._dynamodb = client(stack, "dynamodb")
        self._table = physical_id(stack, "RateLimitTable")

    def items(self):
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        return [item for page in pages for item in page["Items"]]

    def clear(self):
        """Whoever came so far has not come yet."""
        for item in self.items():
            self._dynamodb.delete_item(TableName=self._table, Key={"pk": item["pk"], "sk": item["sk"]})


class Pipeline:
    """The way of an event: outbox, relay, bus, queue, pipeline-entry."""

    def __init__(self, stack):
        self._stack = stack
        self._sqs = client(stack, "sqs")
        self._events = client(stack, "events")
        self._dynamodb = client(stack, "dynamodb")
        self._lambda = client(stack, "lambda")
        self.dead_letters = DeadLetters(self._sqs, stack["PIPELINE_DEAD_LETTER_QUEUE_URL"])
        self.delivery_dead_letters = DeadLetters(self._sqs, stack["DELIVERY_DEAD_LETTER_QUEUE_URL"])

    def publish(self, details, detail_type=RECEIVED):
        """Puts details, given as text, on the bus as the relay would."""
        entries = [
            {"EventBusName": self._stack["EVENT_BUS"], "Source": SOURCE, "DetailType": detail_type, "Detail": detail}
            for detail in details
        ]
        assert self._events.put_events(Entries=entries)["FailedEntryCount"] == 0

    def enqueue(self, bodies):
        """Puts messages straight into the queue."""
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._stack["PIPELINE_QUEUE_URL"], MessageBody=body)

    def wait_until_quiet(self):
        """Until no event is on its way, neither in the outbox nor in a queue."""
        looks = 0

        def is_quiet():
            nonlocal looks
            # The outbox again after the queue: what the queue held may have written to it.
            looks = 0 if self.outbox() or self.in_queue() or self.outbox() else looks + 1
            return looks >= QUIET_LOOKS

        eventually(is_quiet, QUIET_SECONDS, "the pipeline is quiet")

    def set_aside(self, body, *, was_delivered):
        """Puts a message where it goes when pipeline-entry cannot do it, or the rule cannot reach the queue."""
        if was_delivered:
            self.dead_letters.put(body)
            return self.dead_letters
        self.delivery_dead_letters.put(body, missed=self._stack["PIPELINE_QUEUE_URL"])
        return self.delivery_dead_letters

    def in_queue(self):
        """Messages on their way to a function, all queues together."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        count = 0
        for url in self.queues():
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
            count += sum(int(answer["Attributes"][name]) for name in names)
        return count

    def queues(self):
        """The URLs of the queues that feed functions."""
        return [
            self._stack[name]
            for name in self._stack
            if name.endswith("_QUEUE_URL") and not name.endswith("_DEAD_LETTER_QUEUE_URL")
        ]

    def outbox(self):
        return self._scan(self._stack["OUTBOX_TABLE_NAME"])

    def pending(self):
        return [item for item in self.outbox() if item["pk"]["S"].startswith("PENDING#")]

    def poison(self):
        """What was set aside, by event id."""
        return {item["sk"]["S"]: item for item in self.outbox() if item["pk"]["S"].startswith("POISON#")}

    def put_in_outbox(self, item):
        self._dynamodb.put_item(TableName=self._stack["OUTBOX_TABLE_NAME"], Item=item)

    def take_from_outbox(self, item):
        key = {"pk": item["pk"], "sk": item["sk"]}
        self._dynamodb.delete_item(TableName=self._stack["OUTBOX_TABLE_NAME"], Key=key)

    def take_from_queue(self):
        """One message of the queue, removed from it. None while there is none to be had."""
        url = self._stack["PIPELINE_QUEUE_URL"]
        for message in self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages", []):
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return message["Body"]
        return None

    @property
    def ledger_name(self):
        return self._stack["TABLE_NAME"]

    def ledger_rows(self, attribute, text):
        """The ledger's rows whose key attribute contains the text."""
        return self._scan(
            self._stack["TABLE_NAME"],
            FilterExpression="contains(#name, :text)",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":text": {"S": text}},
        )

    def ledger(self):
        """Every row, as text."""
        return json.dumps(self._scan(self._stack["TABLE_NAME"]), ensure_ascii=False).lower()

    def consumer_held_back(self):
        """While it lasts, pipeline-entry does not read the queue."""
        return self._held_back(self._stack["PIPELINE_MAPPING_ID"])

    def relay_held_back(self):
        """While it lasts, event-relay does not read the outbox's stream."""
        return self._held_back(self._stack["RELAY_MAPPING_ID"])

    @contextlib.contextmanager
    def _held_back(self, mapping):
        self._switch(mapping, on=False)
        try:
            yield
        finally:
            self._switch(mapping, on=True)

    def _switch(self, mapping, on):
        self._lambda.update_event_source_mapping(UUID=mapping, Enabled=on)
        wanted = "Enabled" if on else "Disabled"

        def is_so():
            return self._lambda.get_event_source_mapping(UUID=mapping)["State"] == wanted

        eventually(is_so, 60, f"the mapping is {wanted}")

    def _scan(self, table, **options):
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **options)
        return [item for page in pages for item in page["Items"]]


class DeadLetters:
    """A dead-letter queue, whose messages stay where they are until somebody takes them."""

    def __init__(self, sqs, url):
        self._sqs = sqs
        self._url = url

    def put(self, body, missed=None):
        """`missed` is the URL of the queue that EventBridge could not reach: it says so in an attribute."""
        attributes = {}
        if missed:
            arn = f"arn:aws:sqs:us-east-1:000000000000:{missed.rsplit('/', 1)[-1]}"
            attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": arn}}
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body, MessageAttributes=attributes)

    def bodies(self):
        return [message["Body"] for message in self._look()]

    def take(self, mark):
        """Removes the messages that carry the mark, and returns their bodies."""
        taken = [message for message in self._look() if mark in message["Body"]]
        for message in taken:
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in taken]

    def _look(self):
        seen = []
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=30)
            if not answer.get("Messages"):
                break
            seen += answer["Messages"]
        for message in seen:
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )
        return seen


class Tap:
    """A queue of the tests' own on the bus, that hears every event of the product."""

    def __init__(self, stack):
        self._sqs, self._events = client(stack, "sqs"), client(stack, "events")
        self._bus = stack["EVENT_BUS"]
        self._name = f"test-tap-{uuid.uuid4().hex[:12]}"
        self._heard = []
        self._url = self._sqs.create_queue(QueueName=self._name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        queue = attributes["Attributes"]["QueueArn"]
        pattern = {"source": [SOURCE]}
        rule = self._events.put_rule(Name=self._name, EventBusName=self._bus, EventPattern=json.dumps(pattern))
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule["RuleArn"]}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        targets = [{"Id": "tap", "Arn": queue}]
        put = self._events.put_targets(Rule=self._name, EventBusName=self._bus, Targets=targets)
        assert put["FailedEntryCount"] == 0

    def heard(self):
        """All messages so far, as EventBridge delivered them."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._heard.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self._heard

    def about(self, referral_id, detail_type):
        found = (message for message in self.heard() if message["detail-type"] == detail_type)
        return [message for message in found if message["detail"].get("data", {}).get("referralId") == referral_id]

    def close(self):
        self._events.remove_targets(Rule=self._name, EventBusName=self._bus, Ids=["tap"])
        self._events.delete_rule(Name=self._name, EventBusName=self._bus)
        self._sqs.delete_queue(QueueUrl=self._url)
