//! public-capture: the one endpoint that anybody on the internet may call.

mod capture;
mod form;

use std::convert::Infallible;

use referrals::{aws, domain::phone::Region, http, logging, settings, store::Ledger};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let outbox_table = settings::required("OUTBOX_TABLE_NAME")?;
    let region = Region::parse(&settings::required("DEFAULT_REGION")?)?;
    let ledger = Ledger::new(aws_sdk_dynamodb::Client::new(&sdk), table, outbox_table);
    let app = std::sync::Arc::new(capture::App::new(ledger, region));
    http::serve(tower::service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(capture::handle(&app, request).await) }
    }))
    .await
}
