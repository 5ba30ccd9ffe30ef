//! messenger: the only function that sends. Agents are told of leads and rewards; referrers are thanked, at most once and
//! only with consent.

mod mail;
mod messages;
mod post;
mod settings;
mod sms;
mod words;

#[cfg(test)]
mod fixtures;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{
    aws, logging,
    settings::{AwsSettings, parsed, required},
    store::{Directory, Ledger},
};

use crate::{messages::App, post::Post, settings::Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&AwsSettings::from_environment()?);
    let (table, outbox_table) = (required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?);
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let app = App {
        directory: Directory::new(client.clone(), table.clone()),
        ledger: Ledger::new(client, table, outbox_table),
        carrier: Post::new(&sdk, Settings::from_environment()?),
        claim_seconds: parsed("CLAIM_SECONDS", |text| text.parse().ok())?,
    };
    let app = &app;
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, std::convert::Infallible>(messages::handle(app, &event.payload, event.context.deadline()).await)
    }))
    .await
}
