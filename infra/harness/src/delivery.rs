//! What AWS does between the functions: the outbox's stream with its redelivery, the schedule, the rule, and the queue with
//! its redelivery and dead letters.

use std::{collections::HashSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_testing::Item;
use serde_json::{Map, Value, json};

use crate::{Answer, Carrier, Name, World};

/// As in the template.
const STREAM_BATCH: usize = 100;
const QUEUE_BATCH: usize = 10;
const MAX_RECEIVES: u32 = 5;

const MAX_ROUNDS: usize = 20;

/// The stream of the outbox's table.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    seen: HashSet<String>,
    /// Records not yet done, in order.
    records: Vec<Value>,
    next: u64,
}

/// The queue behind the rule for `REFERRAL_RECEIVED`.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries_read: usize,
    messages: Vec<Message>,
    /// Bodies of messages that were received too often.
    pub dead: Vec<String>,
}

#[derive(Debug)]
struct Message {
    id: String,
    body: String,
    receives: u32,
}

impl World {
    /// One delivery of the stream to event-relay. None when there is nothing to deliver.
    pub async fn relay(&mut self) -> Option<Answer> {
        self.read_stream().await;
        let batch = self.stream.records.len().min(STREAM_BATCH);
        if batch == 0 {
            return None;
        }
        let event = json!({"Records": &self.stream.records[..batch]});
        let answer = self.invoke(Name::EventRelay, &event).await;
        let failed = failures(&answer);
        let sequence = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned();
        let done = match &failed {
            None => 0,
            // Everything from the first failure on is delivered again.
            Some(failed) => self.stream.records[..batch]
                .iter()
                .position(|record| failed.contains(&sequence(record)))
                .unwrap_or(if failed.is_empty() { batch } else { 0 }),
        };
        self.stream.records.drain(..done);
        Some(answer)
    }

    /// One call of the schedule.
    pub async fn sweep(&mut self) -> Answer {
        // An event is old enough when its millisecond is over.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let event = json!({"version": "0", "source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        self.invoke(Name::OutboxSweeper, &event).await
    }

    /// One delivery of the queue to pipeline-entry. None when there is nothing to deliver.
    pub async fn enter(&mut self) -> Option<Answer> {
        self.read_bus();
        let queue = &mut self.queue;
        let batch = queue.messages.len().min(QUEUE_BATCH);
        if batch == 0 {
            return None;
        }
        let mut received: Vec<Message> = queue.messages.drain(..batch).collect();
        for message in &mut received {
            message.receives += 1;
        }
        let event = json!({"Records": received.iter().map(Message::record).collect::<Vec<_>>()});
        let answer = self.invoke(Name::PipelineEntry, &event).await;
        let failed = failures(&answer);
        for message in received {
            if failed.as_ref().is_some_and(|failed| !failed.contains(&message.id)) {
                continue;
            }
            if message.receives >= MAX_RECEIVES {
                self.queue.dead.push(message.body);
            } else {
                self.queue.messages.push(message);
            }
        }
        Some(answer)
    }

    /// Lets everything that waits go its way, until nothing does.
    ///
    /// # Errors
    /// When it does not come to an end.
    pub async fn settle(&mut self) -> Result<(), String> {
        for _ in 0..MAX_ROUNDS {
            let carried = match self.carrier {
                Carrier::Relay => self.relay().await.is_some(),
                Carrier::Sweeper => {
                    let pending = self.store.outbox_items().await.iter().any(is_pending);
                    if pending {
                        self.sweep().await;
                    }
                    pending
                }
            };
            let entered = self.enter().await.is_some();
            if !carried && !entered {
                return Ok(());
            }
        }
        Err(format!("it is not quiet after {MAX_ROUNDS} rounds"))
    }

    /// Puts dead letters back into the queue, as an operator does when the fault is over. How many there were.
    pub fn redrive(&mut self) -> usize {
        let dead = std::mem::take(&mut self.queue.dead);
        let count = dead.len();
        for body in dead {
            let id = format!("redriven-{}", self.number());
            self.queue.messages.push(Message { id, body, receives: 0 });
        }
        count
    }

    /// Takes over what was inserted into the outbox since the last look.
    async fn read_stream(&mut self) {
        let mut items = self.store.outbox_items().await;
        items.sort_by(|one, other| one.text("sk").cmp(other.text("sk")));
        for item in items.iter().filter(|item| is_pending(item)) {
            if self.stream.seen.insert(item.text("sk").to_owned()) {
                self.stream.next += 1;
                let record = record(item, self.stream.next);
                self.stream.records.push(record);
            }
        }
    }

    /// Takes over what was put on the bus since the last look, as the rule does.
    fn read_bus(&mut self) {
        let entries = self.bus.entries();
        for entry in entries.iter().skip(self.queue.entries_read) {
            if entry.source == "winnerr.referrals" && entry.detail_type == "REFERRAL_RECEIVED" {
                let message = Message { id: format!("message-{}", entry.id), body: entry.envelope(), receives: 0 };
                self.queue.messages.push(message);
            }
        }
        self.queue.entries_read = entries.len();
    }
}

impl Message {
    fn record(&self) -> Value {
        json!({
            "messageId": self.id,
            "receiptHandle": "handle",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": self.receives.to_string()},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:pipeline",
            "awsRegion": "us-east-1",
        })
    }
}

pub(crate) fn is_pending(item: &Item) -> bool {
    item.text("pk").starts_with("PENDING#")
}

fn record(item: &Item, sequence: u64) -> Value {
    let image: Map<String, Value> = item
        .0
        .iter()
        .map(|(name, value)| match value {
            AttributeValue::S(text) => (name.clone(), json!({"S": text})),
            _ => panic!("the outbox holds texts only"),
        })
        .collect();
    json!({
        "eventID": format!("event-{sequence}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_330_800,
            "Keys": {"pk": image["pk"], "sk": image["sk"]},
            "NewImage": image,
            "SequenceNumber": format!("{sequence:028}"),
            "SizeBytes": 512,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/outbox/stream/2026-11-22T06:00:00.000",
    })
}

/// The identifiers that a partial batch response names. None when the invocation failed, which fails all.
fn failures(answer: &Answer) -> Option<Vec<String>> {
    let Answer::Response(response) = answer else { return None };
    let named = response["batchItemFailures"].as_array()?;
    Some(named.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap_or_default().to_owned()).collect())
}
