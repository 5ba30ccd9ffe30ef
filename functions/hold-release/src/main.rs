//! hold-release: lets go, each minute, the rewards whose holding period is over.

mod release;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws, logging,
    settings::{AwsSettings, required},
    store::Ledger,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let ledger = Ledger::new(client, required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?);
    let ledger = &ledger;
    // What the schedule says does not matter, only that it calls.
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let deadline = event.context.deadline();
        release::handle(ledger, &event.context.request_id, deadline).await.map_err(|error| error.to_string())
    }))
    .await
}
