//! The routes of rewards: what an agent does about one, the queue, and the organization's policy.

pub mod cancel;
pub mod list;
pub mod mark_sent;
pub mod policy;
mod reason;
pub mod release;
pub mod resend_thanks;
pub mod view;
