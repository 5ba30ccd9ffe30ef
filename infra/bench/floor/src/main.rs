//! The least that a function can cost: the runtime client takes an event, and nothing is done with it. Built together with
//! the functions, so that only what they do is the difference.

use lambda_runtime::{LambdaEvent, run, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    run(service_fn(|_: LambdaEvent<Box<RawValue>>| async { Ok::<_, lambda_runtime::Error>(()) })).await
}
