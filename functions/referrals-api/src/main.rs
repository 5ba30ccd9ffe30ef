//! referrals-api: what an agent's tools call, behind the gateway's authorizer.

mod app;
mod find_person;
mod find_referral;
mod list_people;
mod list_referrals;
mod log_referral;
mod page;
mod path_id;
mod view;

use referrals::{
    aws,
    http::{self, ClaimNames, CursorKey},
    logging, settings,
    store::{Directory, Ledger},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let outbox_table = settings::required("OUTBOX_TABLE_NAME")?;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let directory = Directory::new(client.clone(), table.clone());
    let ledger = Ledger::new(client, table, outbox_table);
    let cursor_key = CursorKey::new(&settings::required("CURSOR_KEY")?);
    let claims = ClaimNames::from_environment()?;
    http::serve(app::router(app::App { directory, ledger, cursor_key, claims })).await
}
