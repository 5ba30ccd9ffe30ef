//! event-relay: from the outbox's stream to the event bus.

mod relay;

use lambda_runtime::{LambdaEvent, run, service_fn};
use referrals::{aws, aws::EventBridgeBus, logging, settings, store::OutboxTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    logging::start(env!("CARGO_PKG_NAME"));
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let outbox = OutboxTable::new(aws_sdk_dynamodb::Client::new(&sdk), settings::required("OUTBOX_TABLE_NAME")?);
    let bus = EventBridgeBus::new(aws_sdk_eventbridge::Client::new(&sdk), settings::required("EVENT_BUS")?);
    let (outbox, bus) = (&outbox, &bus);
    run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, std::convert::Infallible>(relay::handle(bus, outbox, &event.payload).await)
    }))
    .await
}
