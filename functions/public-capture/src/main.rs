//! public-capture: the doors that anybody on the internet may use. The API, the hosted form, and the widget's script.

mod accept_language;
mod capture;
mod door;
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
use referrals::{aws, http, logging, settings::AwsSettings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let client = Client::new(&aws::sdk_config(&AwsSettings::from_environment()?));
    let app = Arc::new(submit::App::from_environment(&client)?);
    http::serve(tower::service_fn(move |request| {
        let app = app.clone();
        async move { Ok::<_, Infallible>(door::handle(&app, request).await) }
    }))
    .await
}
