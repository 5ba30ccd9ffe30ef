//! referrals-api: what an agent's tools call, behind the gateway's authorizer.

mod account;
mod app;
mod attribution;
mod imports;
mod incoming;
mod once;
mod openapi;
mod page;
mod path_id;
mod people;
mod profile;
mod referrals;
mod rewards;
mod view;

use std::sync::Arc;

use ::referrals::{
    aws,
    http::{self, ClaimNames, CursorKey},
    logging, settings,
    store::{AccountCache, Directory, Ledger},
    system::SystemClock,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let outbox_table = settings::required("OUTBOX_TABLE_NAME")?;
    let client = aws_sdk_dynamodb::Client::new(&sdk);
    let accounts = Arc::new(AccountCache::new(Directory::new(client.clone(), table.clone()), SystemClock));
    let ledger = Ledger::new(client, table, outbox_table);
    let cursor_key = CursorKey::new(&settings::required("CURSOR_KEY")?);
    let claims = ClaimNames::from_environment()?;
    http::serve(app::router(app::App { accounts, ledger, cursor_key, claims })).await
}
