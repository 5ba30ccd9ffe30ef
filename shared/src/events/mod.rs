//! The wire types of the bus: an envelope and one type per event and version. Ids and codes only; no personal data.
//! An event is built here, stored with the rows it announces (`store::outbox`), and published later by event-relay.

mod deal_told;
mod delivery_told;
mod envelope;
mod import_chunk_ready;
mod lead_entered_pipeline;
mod person_erased;
mod referral_converted;
mod referral_linked;
mod referral_received;
mod referral_status_changed;
mod referrer_thanked;
mod reward_canceled;
mod reward_ready;
mod reward_sent;
mod thank_you_requested;

pub use deal_told::{DealTold, deal_state};
pub use delivery_told::{DeliveryTold, SES_SOURCE};
pub use envelope::{Detail, Metadata, NewEvent, UnreadableEvent};
pub use import_chunk_ready::ImportChunkReadyV1;
pub use lead_entered_pipeline::LeadEnteredPipelineV1;
pub use person_erased::PersonErasedV1;
pub use referral_converted::ReferralConvertedV1;
pub use referral_linked::ReferralLinkedV1;
pub use referral_received::ReferralReceivedV1;
pub use referral_status_changed::ReferralStatusChangedV1;
pub use referrer_thanked::ReferrerThankedV1;
pub use reward_canceled::RewardCanceledV1;
pub use reward_ready::RewardReadyV1;
pub use reward_sent::RewardSentV1;
pub use thank_you_requested::ThankYouRequestedV1;

/// `source` of every event that we put on the bus.
pub const SOURCE: &str = "winnerr.referrals";

/// The data of one event type at one version.
pub trait EventData: serde::Serialize + serde::de::DeserializeOwned {
    /// `detail-type` on the bus.
    const DETAIL_TYPE: &'static str;
    /// Version of the data's shape, in the metadata.
    const VERSION: u32;
}
