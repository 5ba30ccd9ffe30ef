//! delivery-feedback: what the mail's provider tells of a message becomes what the ledger knows of it.

mod feedback;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{aws, logging, settings, store::Ledger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let outbox_table = settings::required("OUTBOX_TABLE_NAME")?;
    let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), table, outbox_table);
    let ledger = &ledger;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, std::convert::Infallible>(feedback::handle(ledger, &event.payload, event.context.deadline()).await)
    }))
    .await
}
