//! unsubscribe: the page behind the link in a message, and the one click by which a mail program follows it.

mod page;
mod unsubscribe;

use std::{convert::Infallible, sync::Arc};

use referrals::{
    aws, http, logging,
    settings::{AwsSettings, required},
    store::Ledger,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let client = aws_sdk_dynamodb::Client::new(&aws::sdk_config(&AwsSettings::from_environment()?));
    let app = Arc::new(unsubscribe::App {
        ledger: Ledger::new(client, required("TABLE_NAME")?, required("OUTBOX_TABLE_NAME")?),
        key: http::UnsubscribeKey::new(&required("UNSUBSCRIBE_KEY")?),
    });
    http::serve(tower::service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(unsubscribe::handle(&app, request).await) }
    }))
    .await
}
