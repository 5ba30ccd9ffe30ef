//! The names of our functions, as histories and inboxes have them. They are stored, so none is ever changed.

pub const CAPTURE_EXPIRY: &str = "capture-expiry";
pub const DEAL_WON: &str = "deal-won";
pub const DELIVERY_FEEDBACK: &str = "delivery-feedback";
pub const HOLD_RELEASE: &str = "hold-release";
pub const MESSENGER: &str = "messenger";
pub const PIPELINE_ENTRY: &str = "pipeline-entry";
