//! import-worker: rows of uploaded files become referrals, a chunk at a time and no faster than live captures can bear.

mod chunk;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws, logging,
    settings::{AwsSettings, parsed, required},
    store::{Directory, Ledger},
};

use crate::chunk::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let (table, outbox_table) = (required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?);
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let app = App {
        directory: Directory::new(client.clone(), table.clone()),
        ledger: Ledger::new(client, table, outbox_table),
        rows_per_second: parsed("IMPORT_ROWS_PER_SECOND", |text| text.parse().ok())?,
    };
    let app = &app;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, std::convert::Infallible>(chunk::handle(app, &event.payload, event.context.deadline()).await)
    }))
    .await
}
