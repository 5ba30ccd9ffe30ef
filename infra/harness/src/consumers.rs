//! What AWS does between the bus and the functions behind queues: rules, queues with redelivery, and dead letters.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{Answer, Bus, BusEntry, Name, Redelivery, World, delivery::failures};

/// As in the template.
const MAX_RECEIVES: u32 = 5;
const SOURCE: &str = "winnerr.referrals";

/// A function behind a queue, and which events the template's rules put there.
#[derive(Debug, Clone, Copy)]
struct Consumer {
    function: Name,
    /// As in the template.
    batch: usize,
    /// Events of ours.
    ours: &'static [&'static str],
    /// Events of any source.
    anybodys: &'static [&'static str],
}

/// All of them, as the template's rules have them; who is not here is not invoked by events.
const CONSUMERS: [Consumer; 5] = [
    Consumer { function: Name::PipelineEntry, batch: 10, ours: &["REFERRAL_RECEIVED"], anybodys: &[] },
    Consumer {
        function: Name::DealWon,
        batch: 10,
        ours: &["LEAD_ENTERED_PIPELINE", "REFERRAL_LINKED"],
        anybodys: &["DEAL_WON", "deal.won", "deal.closed_won", "DEAL_REOPENED", "DEAL_LOST"],
    },
    Consumer {
        function: Name::Messenger,
        batch: 1,
        ours: &["LEAD_ENTERED_PIPELINE", "REWARD_READY", "REWARD_SENT", "THANK_YOU_REQUESTED"],
        anybodys: &[],
    },
    Consumer { function: Name::ImportWorker, batch: 1, ours: &["IMPORT_CHUNK_READY"], anybodys: &[] },
    // SES tells it, and on another bus: see `World::hear`.
    Consumer { function: Name::DeliveryFeedback, batch: 10, ours: &[], anybodys: &[] },
];

impl Consumer {
    fn takes(&self, entry: &BusEntry) -> bool {
        let detail_type = entry.detail_type.as_str();
        self.anybodys.contains(&detail_type) || (entry.source == SOURCE && self.ours.contains(&detail_type))
    }
}

/// Every consumer's queue.
#[derive(Debug)]
pub(crate) struct Queues {
    entries_read: usize,
    /// Whether events reach messenger. It is so only where a scenario is about it: each function that is woken costs
    /// every other scenario time.
    is_post_open: bool,
    /// What reached it.
    posted: Vec<BusEntry>,
    /// Where delivery is no better than AWS promises it.
    pub redelivery: Option<Redelivery>,
    by_function: BTreeMap<Name, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: Vec<Message>,
    /// Bodies of messages that were received too often.
    dead: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub id: String,
    pub body: String,
    pub receives: u32,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            entries_read: 0,
            is_post_open: false,
            posted: Vec::new(),
            redelivery: None,
            by_function: CONSUMERS.map(|consumer| (consumer.function, Queue::default())).into(),
        }
    }
}

impl Queues {
    /// The functions behind queues.
    pub(crate) fn consumers() -> impl Iterator<Item = Name> {
        CONSUMERS.iter().map(|consumer| consumer.function)
    }

    /// How many messages were received too often, by function.
    pub(crate) fn dead(&self) -> BTreeMap<Name, usize> {
        let dead = self.by_function.iter().map(|(name, queue)| (*name, queue.dead.len()));
        dead.filter(|(_, count)| *count > 0).collect()
    }

    /// Everything in a dead-letter queue.
    pub(crate) fn dead_letters(&self) -> String {
        self.by_function.values().flat_map(|queue| &queue.dead).cloned().collect::<Vec<_>>().join("\n")
    }

    /// What has reached messenger, or is about to.
    pub(crate) fn posted(&self, bus: &[BusEntry]) -> Vec<BusEntry> {
        let messenger = CONSUMERS.iter().filter(|consumer| consumer.function == Name::Messenger && self.is_post_open);
        let coming = messenger.flat_map(|it| bus.iter().skip(self.entries_read).filter(|entry| it.takes(entry)));
        self.posted.iter().chain(coming).cloned().collect()
    }

    /// Takes over what was put on the bus since the last look, as the rules do.
    fn read(&mut self, bus: &Bus) {
        let entries = bus.entries_from(self.entries_read);
        for entry in &entries {
            for consumer in CONSUMERS.iter().filter(|consumer| consumer.takes(entry)) {
                if consumer.function == Name::Messenger {
                    if !self.is_post_open {
                        continue;
                    }
                    self.posted.push(entry.clone());
                }
                let message = Message { id: format!("message-{}", entry.id), body: entry.envelope(), receives: 0 };
                self.put(consumer.function, message);
            }
        }
        self.entries_read += entries.len();
    }

    fn put(&mut self, function: Name, message: Message) {
        let waiting = &mut self.by_function.get_mut(&function).expect("a function behind a queue").messages;
        match &mut self.redelivery {
            Some(redelivery) => redelivery.spread(function, waiting, &message),
            None => waiting.push(message),
        }
    }

    /// Lets what was kept back come. Whether there was anything.
    pub(crate) fn release_late(&mut self) -> bool {
        let late = self.redelivery.as_mut().map(Redelivery::late).unwrap_or_default();
        let is_any = !late.is_empty();
        for (function, message) in late {
            self.of(function).messages.push(message);
        }
        is_any
    }

    fn of(&mut self, function: Name) -> &mut Queue {
        self.by_function.get_mut(&function).expect("a function behind a queue")
    }
}

impl World {
    /// One delivery of its queue to the function. None when there is nothing to deliver.
    pub async fn consume(&mut self, function: Name) -> Option<Answer> {
        self.queues.read(&self.bus);
        let messages = &self.queues.of(function).messages;
        let most = CONSUMERS.iter().find(|consumer| consumer.function == function).map_or(0, |found| found.batch);
        let mut batch = messages.len().min(most);
        if batch == 0 {
            return None;
        }
        if let Some(redelivery) = &mut self.queues.redelivery {
            batch = redelivery.batch(batch);
        }
        let mut received: Vec<Message> = self.queues.of(function).messages.drain(..batch).collect();
        for message in &mut received {
            message.receives += 1;
        }
        let event = json!({"Records": received.iter().map(Message::record).collect::<Vec<_>>()});
        let answer = self.invoke(function, &event).await;
        let failed = failures(&answer);
        let is_lost = self.queues.redelivery.as_mut().is_some_and(Redelivery::loses_the_answer);
        let queue = self.queues.of(function);
        for message in received {
            let is_done = failed.as_ref().is_some_and(|failed| !failed.contains(&message.id));
            // What was done may come again, but is no dead letter for that.
            if is_done && (!is_lost || message.receives >= MAX_RECEIVES) {
                continue;
            }
            if message.receives >= MAX_RECEIVES {
                queue.dead.push(message.body);
            } else {
                queue.messages.push(message);
            }
        }
        Some(answer)
    }

    /// From now on events reach messenger, or do not.
    pub fn open_post(&mut self, is_open: bool) {
        self.queues.read(&self.bus);
        self.queues.is_post_open = is_open;
    }

    /// Puts a message into the function's queue.
    pub fn enqueue(&mut self, function: Name, body: String) {
        let id = format!("message-{}", self.number());
        self.queues.put(function, Message { id, body, receives: 0 });
    }

    /// One delivery to every function behind a queue. Whether there was anything to deliver.
    pub(crate) async fn consume_all(&mut self) -> bool {
        let mut was_anything = false;
        for function in Queues::consumers() {
            was_anything |= self.consume(function).await.is_some();
        }
        was_anything
    }

    /// Puts dead letters back into their queues, as an operator does when the fault is over. How many there were.
    pub fn redrive(&mut self) -> usize {
        let mut count = 0;
        for function in Queues::consumers() {
            for body in std::mem::take(&mut self.queues.of(function).dead) {
                count += 1;
                let id = format!("redriven-{}", self.number());
                self.queues.of(function).messages.push(Message { id, body, receives: 0 });
            }
        }
        count
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
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
            "awsRegion": "us-east-1",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use referrals_testing::rules;

    use super::*;

    #[test]
    fn events_reach_whom_the_templates_rules_send_them_to() {
        let in_template: BTreeSet<(String, Option<String>, String)> = rules()
            .into_iter()
            .flat_map(|rule| {
                let (function, source) = (rule.function, rule.source);
                rule.detail_types.into_iter().map(move |kind| (function.clone(), source.clone(), kind))
            })
            .collect();
        let here = CONSUMERS.iter().flat_map(|consumer| {
            let ours = consumer.ours.iter().map(|kind| (Some(SOURCE.to_owned()), *kind));
            let anybodys = consumer.anybodys.iter().map(|kind| (None, *kind));
            let name = consumer.function.as_str();
            ours.chain(anybodys).map(move |(source, kind)| (name.to_owned(), source, kind.to_owned()))
        });
        assert_eq!(here.collect::<BTreeSet<_>>(), in_template);
    }
}
