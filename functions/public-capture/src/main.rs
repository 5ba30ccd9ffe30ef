//! public-capture: the one endpoint that anybody on the internet may call.

mod capture;
mod form;
#[cfg(test)]
mod openapi;
mod settings;

use std::{convert::Infallible, sync::Arc};

use aws_sdk_dynamodb::Client;
use referrals::{
    aws, http, logging,
    settings::{AwsSettings, required},
    store::{Directory, Ledger, ProfileCache, RateLimitTable},
    system::SystemClock,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let client = Client::new(&aws::sdk_config(&AwsSettings::from_environment()?));
    let table = required("TABLE_NAME")?;
    let directory = Directory::new(client.clone(), table.clone());
    let app = Arc::new(capture::App {
        profiles: ProfileCache::new(directory, SystemClock),
        ledger: Ledger::new(client.clone(), table, required("OUTBOX_TABLE_NAME")?),
        limiter: RateLimitTable::new(client, required("RATE_LIMIT_TABLE_NAME")?),
        settings: settings::Settings::from_environment()?,
    });
    http::serve(tower::service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(capture::handle(&app, request).await) }
    }))
    .await
}
