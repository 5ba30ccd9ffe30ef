//! token-claims: puts organization, user and role of a member into the access token at sign-in.

mod claims;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{aws, http::ClaimNames, logging, settings, store::Directory};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let directory = Directory::new(aws_sdk_dynamodb::Client::new(&sdk), table);
    let names = ClaimNames::from_environment()?;
    let (directory, names) = (&directory, &names);
    run(service_fn(move |event: LambdaEvent<_>| async move {
        claims::handle(directory, names, event.payload).await.map_err(|error| error.to_string())
    }))
    .await
}
