//! What AWS does between the outbox and the bus: the outbox's stream with its redelivery, and the schedule.

use std::{collections::HashSet, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_testing::Item;
use serde_json::{Map, Value, json};

use crate::{Answer, Carrier, Name, Redelivered, Redelivery, World};

/// As in the template.
const STREAM_BATCH: usize = 100;

/// More than a storm leaves behind.
const MAX_ROUNDS: usize = 5_000;

/// The stream of the outbox's table.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    seen: HashSet<String>,
    /// Records not yet done, in order.
    records: Vec<Value>,
    next: u64,
}

impl World {
    /// One delivery of the stream to event-relay. None when there is nothing to deliver.
    pub async fn relay(&mut self) -> Option<Answer> {
        self.read_stream().await;
        let mut batch = self.stream.records.len().min(STREAM_BATCH);
        if batch == 0 {
            return None;
        }
        if let Some(redelivery) = &mut self.queues.redelivery {
            batch = redelivery.batch(batch);
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
        let is_lost = self.queues.redelivery.as_mut().is_some_and(Redelivery::loses_the_answer);
        if !is_lost {
            self.stream.records.drain(..done);
        }
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
        self.consume(Name::PipelineEntry).await
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
            let consumed = self.consume_all().await;
            if !carried && !consumed {
                return Ok(());
            }
        }
        Err(format!("it is not quiet after {MAX_ROUNDS} rounds"))
    }

    /// From now on delivery is no better than AWS promises it.
    pub fn redeliver(&mut self, seed: u64) {
        self.queues.redelivery = Some(Redelivery::new(seed));
    }

    /// How often it was not.
    #[must_use]
    pub fn redelivered(&self) -> Redelivered {
        self.queues.redelivery.as_ref().map(|redelivery| redelivery.counts).unwrap_or_default()
    }

    /// Everything that was kept back comes, and goes its way.
    ///
    /// # Errors
    /// When it does not come to an end.
    pub async fn settle_late(&mut self) -> Result<(), String> {
        self.settle().await?;
        while self.queues.release_late() {
            self.settle().await?;
        }
        Ok(())
    }

    /// Takes over what was inserted into the outbox since the last look.
    async fn read_stream(&mut self) {
        // An engine that is away has nothing to show.
        let mut items = self.store.find_outbox_items().await.unwrap_or_default();
        items.sort_by(|one, other| one.text("sk").cmp(other.text("sk")));
        for item in items.iter().filter(|item| is_pending(item)) {
            if self.stream.seen.insert(item.text("sk").to_owned()) {
                self.stream.next += 1;
                let record = record(item, self.stream.next);
                self.stream.records.push(record);
            }
        }
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
pub(crate) fn failures(answer: &Answer) -> Option<Vec<String>> {
    let Answer::Response(response) = answer else { return None };
    let named = response["batchItemFailures"].as_array()?;
    Some(named.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap_or_default().to_owned()).collect())
}
