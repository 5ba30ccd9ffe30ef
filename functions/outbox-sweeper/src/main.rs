//! outbox-sweeper: publishes, each minute, what the relay has left in the outbox.

mod sweep;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws,
    aws::EventBridgeBus,
    logging,
    settings::{AwsSettings, parsed, required},
    store::OutboxTable,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let outbox = OutboxTable::new(aws_sdk_dynamodb::Client::new(&sdk), required("OUTBOX_TABLE_NAME")?);
    let bus = EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&sdk), required("EVENT_BUS")?);
    let after_seconds: i64 = parsed("SWEEP_AFTER_SECONDS", |text| text.parse().ok())?;
    let (outbox, bus) = (&outbox, &bus);
    // What the schedule says does not matter, only that it calls.
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let deadline = event.context.deadline();
        sweep::handle(bus, outbox, after_seconds, deadline).await.map_err(|error| error.to_string())
    }))
    .await
}
