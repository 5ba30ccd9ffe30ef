//! ledger-reconcile: proves on demand, page by page, that an organization's counters, links and rows agree.

mod reconcile;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws, logging,
    settings::{AwsSettings, required},
    store::{Directory, Ledger},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let (table, outbox_table) = (required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?);
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let directory = Directory::new(client.clone(), table.clone());
    let ledger = Ledger::new(client, table, outbox_table);
    let (directory, ledger) = (&directory, &ledger);
    run(service_fn(move |event: LambdaEvent<serde_json::Value>| async move {
        let deadline = event.context.deadline();
        reconcile::handle(ledger, directory, event.payload, deadline).await.map_err(|error| error.to_string())
    }))
    .await
}
