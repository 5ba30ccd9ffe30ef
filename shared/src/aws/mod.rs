//! Services other than the store: today the event bus.

mod event_bus;
mod sdk;

pub use event_bus::EventBridgeBus;
pub use sdk::sdk_config;
