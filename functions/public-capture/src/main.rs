//! public-capture: the doors that anybody on the internet may use. The API, the hosted form, and the widget's script.

mod capture;
mod etag;
mod form;
mod hosted;
#[cfg(test)]
mod openapi;
mod settings;
mod submit;
mod widget;
mod wording;
#[cfg(test)]
mod world;

use std::{convert::Infallible, sync::Arc};

use aws_sdk_dynamodb::Client;
use axum::{body::Body, http::Request, response::Response};
use referrals::{
    aws, http, logging,
    settings::{AwsSettings, required},
    store::{Directory, Ledger, ProfileCache, RateLimitTable},
    system::SystemClock,
};
use submit::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let client = Client::new(&aws::sdk_config(&AwsSettings::from_environment()?));
    let table = required("TABLE_NAME")?;
    let directory = Directory::new(client.clone(), table.clone());
    let app = Arc::new(App {
        profiles: ProfileCache::new(directory, SystemClock),
        ledger: Ledger::new(client.clone(), table, required("OUTBOX_TABLE_NAME")?),
        limiter: RateLimitTable::new(client, required("RATE_LIMIT_TABLE_NAME")?),
        settings: settings::Settings::from_environment()?,
    });
    http::serve(tower::service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(handle(&app, request).await) }
    }))
    .await
}

/// By the path's first part, as the gateway's routes have it; what is neither page nor widget is the API's.
async fn handle(app: &App, request: Request<Body>) -> Response {
    let path = request.uri().path();
    if path.starts_with(hosted::PREFIX) {
        hosted::handle(app, request).await
    } else if path.starts_with(widget::PREFIX) {
        widget::handle(&request)
    } else {
        capture::handle(app, request).await
    }
}
