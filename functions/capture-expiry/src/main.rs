//! capture-expiry: closes, each day, the captures that nobody took up for as long as they are kept.

mod expiry;
mod retention;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws, logging,
    settings::{AwsSettings, parsed, required},
    store::Ledger,
};

use crate::retention::Retention;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let ledger = Ledger::new(client, required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?);
    let retention = parsed("CAPTURE_RETENTION", Retention::parse)?;
    let ledger = &ledger;
    // What the schedule says does not matter, only that it calls.
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let deadline = event.context.deadline();
        let request_id = &event.context.request_id;
        expiry::handle(ledger, retention, request_id, deadline).await.map_err(|error| error.to_string())
    }))
    .await
}
