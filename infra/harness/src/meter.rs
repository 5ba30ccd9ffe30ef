//! What a call to DynamoDB costs, as the engine says: it is asked for on the way there, and taken out on the way back.

use hyper::body::Bytes;
use serde_json::Value;

/// The same request, with the question what it costs.
pub fn ask(request: &Bytes) -> Bytes {
    let mut body: Value = serde_json::from_slice(request).expect("a request to DynamoDB is JSON");
    body["ReturnConsumedCapacity"] = "TOTAL".into();
    body.to_string().into()
}

/// The answer as it would be without the question, and the capacity units that it names.
pub fn take(answer: &Bytes) -> (Bytes, f64) {
    let mut body: Value = serde_json::from_slice(answer).expect("an answer of DynamoDB is JSON");
    let consumed = body.as_object_mut().and_then(|body| body.remove("ConsumedCapacity")).unwrap_or_default();
    let units = match &consumed {
        // One account of each table.
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => units(table),
    };
    (body.to_string().into(), units)
}

fn units(table: &Value) -> f64 {
    table["CapacityUnits"].as_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_added_up_over_tables_and_taken_out_of_the_answer() {
        for (answer, units, left) in [
            (r#"{"Items":[],"ConsumedCapacity":{"TableName":"a","CapacityUnits":2.5}}"#, 2.5, r#"{"Items":[]}"#),
            (r#"{"ConsumedCapacity":[{"CapacityUnits":22.0},{"CapacityUnits":2.0}]}"#, 24.0, "{}"),
            (r#"{"Attributes":{}}"#, 0.0, r#"{"Attributes":{}}"#),
        ] {
            let (body, counted) = take(&Bytes::from_static(answer.as_bytes()));
            assert!((counted - units).abs() < f64::EPSILON, "{answer}");
            assert_eq!(body, left);
        }
    }
}
