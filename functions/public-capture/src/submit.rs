//! From valid fields to a receipt: what both ways of sending a referral have in common.

use aws_sdk_dynamodb::Client;
use referrals::{
    domain::{id::ReceiptId, organization::Slug, rate_limit::network_of},
    http::{Code, Problem, SourceIp},
    ports::{Admission, Clock as _, Counted, RateLimiter as _},
    settings::{SettingError, required},
    store::{Directory, Ledger, ProfileCache, RateLimitTable},
    system::{RandomIds, SystemClock},
    usecase::capture_referral::{Arrival, Capture, Captured, Submission},
};

use crate::settings::Settings;

/// What lives as long as the process.
#[derive(Debug)]
pub struct App {
    pub profiles: ProfileCache<Directory, SystemClock>,
    pub ledger: Ledger,
    pub limiter: RateLimitTable,
    pub settings: Settings,
}

impl App {
    /// # Errors
    /// When a setting is missing or cannot be read.
    pub fn from_environment(client: &Client) -> Result<Self, SettingError> {
        let table = required("TABLE_NAME")?;
        Ok(Self {
            profiles: ProfileCache::new(Directory::new(client.clone(), table.clone()), SystemClock),
            ledger: Ledger::new(client.clone(), table, required("OUTBOX_TABLE_NAME")?),
            limiter: RateLimitTable::new(client.clone(), required("RATE_LIMIT_TABLE_NAME")?),
            settings: Settings::from_environment()?,
        })
    }

    /// Counts the request against the network that it comes from, before anything of it is read.
    pub async fn admit(&self, source_ip: Option<&SourceIp>) -> Result<(), Problem> {
        // Without an address all share one count: the gateway always gives one.
        let network = source_ip.and_then(|ip| network_of(&ip.0)).unwrap_or_default();
        let hash = self.settings.ip_hash_key.hash(&network);
        match self.limiter.admit(Counted::Network(&hash), self.settings.ip_limits, SystemClock.now()).await? {
            Admission::Admitted => Ok(()),
            Admission::Refused { retry_after_seconds } => Err(Problem::too_many_requests(retry_after_seconds)),
        }
    }

    /// No slug is one that nobody has.
    pub async fn submit(
        &self,
        slug: Option<&Slug>,
        submission: &Submission,
        arrival: Arrival<'_>,
    ) -> Result<ReceiptId, Problem> {
        let capture = Capture {
            profiles: &self.profiles,
            limiter: &self.limiter,
            slug_limits: self.settings.slug_limits,
            store: &self.ledger,
            clock: &SystemClock,
            ids: &RandomIds,
        };
        let (receipt, outcome) = match capture.capture(slug, submission, arrival).await? {
            Captured::NoOpenProfile => return Err(Problem::new(Code::NotFound)),
            Captured::KeyReused => return Err(Problem::new(Code::IdempotencyKeyReused)),
            Captured::Refused { retry_after_seconds } => return Err(Problem::too_many_requests(retry_after_seconds)),
            Captured::Recorded(receipt, referral) => {
                tracing::info!(receipt.id = %receipt, referral.id = %referral, "captured");
                return Ok(receipt);
            }
            Captured::Repeated(receipt) => (receipt, "repeated"),
            Captured::Trapped(receipt) => (receipt, "trapped"),
            Captured::Replayed(receipt) => (receipt, "replayed"),
        };
        tracing::info!(receipt.id = %receipt, "{outcome}");
        Ok(receipt)
    }
}
