//! What the product does, one operation per file: ports in, outcome out. No file here knows a store, a bus or HTTP.

mod attempts;
pub mod capture_referral;
pub mod change_person;
pub mod change_referral;
mod contest;
pub mod delete_referral;
pub mod enter_pipeline;
pub mod export_referrals;
pub mod find_history;
pub mod find_person;
pub mod find_profile;
pub mod find_referral;
pub mod hear_of_deal;
pub mod issue_claims;
pub mod keep_profile;
pub mod list_people;
pub mod list_referrals;
pub mod log_referral;
pub mod reconcile_counters;
mod record_referral;
pub mod relay_events;
mod revise;
pub mod revoke_consent;
pub mod settle_deal;
pub mod sweep_outbox;
