//! Embedded metrics: lines of the log that CloudWatch counts (Embedded Metric Format). A metric is a name, a number and fixed
//! words that it is told apart by: nothing that anybody typed, and no id. Each distinct set of words costs as a metric.

use std::{io::Write as _, sync::OnceLock};

use serde_json::{Map, Value, json};

use crate::{domain::time::Timestamp, settings};

/// Function and namespace.
static STARTED: OnceLock<(&'static str, String)> = OnceLock::new();

/// As CloudWatch spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// From here on, what `function` measures is written. Where `METRICS_NAMESPACE` is not set, nobody counts.
pub(crate) fn start(function: &'static str) {
    if let Some(namespace) = settings::optional("METRICS_NAMESPACE") {
        // A second start, as in tests, changes nothing.
        drop(STARTED.set((function, namespace)));
    }
}

/// The function that measures; empty where nobody counts.
#[must_use]
pub fn function() -> &'static str {
    STARTED.get().map_or("", |(function, _)| *function)
}

/// Writes one.
pub fn put(at: Timestamp, name: &'static str, unit: Unit, value: u64, words: &[(&'static str, &str)]) {
    let Some((_, namespace)) = STARTED.get() else { return };
    let line = line(namespace, at, name, unit, value, words);
    // Nobody is there to be told that nobody listens.
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

fn line(
    namespace: &str,
    at: Timestamp,
    name: &'static str,
    unit: Unit,
    value: u64,
    words: &[(&'static str, &str)],
) -> Value {
    let dimensions: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.epoch_millis(),
            "CloudWatchMetrics": [{
                "Namespace": namespace,
                "Dimensions": [dimensions],
                "Metrics": [{"Name": name, "Unit": format!("{unit:?}")}],
            }],
        }),
    );
    line.extend(words.iter().map(|(word, value)| ((*word).to_owned(), json!(value))));
    line.insert(name.to_owned(), json!(value));
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_a_line_as_cloudwatch_reads_it() {
        let at = Timestamp::parse("2026-11-22T07:00:00.123Z").unwrap();
        let words = [("kind", "THANK_YOU"), ("outcome", "SUBMITTED")];
        let line = line("referrals", at, "Messages", Unit::Count, 1, &words);
        let wanted = json!({
            "_aws": {
                "Timestamp": 1_795_330_800_123_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "referrals",
                    "Dimensions": [["kind", "outcome"]],
                    "Metrics": [{"Name": "Messages", "Unit": "Count"}],
                }],
            },
            "kind": "THANK_YOU",
            "outcome": "SUBMITTED",
            "Messages": 1,
        });
        assert_eq!(line, wanted);
    }

    #[test]
    fn without_words_it_has_no_dimensions() {
        let at = Timestamp::parse("2026-11-22T07:00:00Z").unwrap();
        let line = line("referrals", at, "PendingAge", Unit::Seconds, 75, &[]);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
        assert_eq!((&line["PendingAge"], line.as_object().unwrap().len()), (&json!(75), 2));
    }
}
