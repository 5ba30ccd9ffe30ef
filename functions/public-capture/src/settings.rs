//! What an operator may set of the public door.

use referrals::{
    domain::{digest::HashKey, phone::Region, rate_limit::Limits},
    settings::{self, SettingError},
};

const HOUR_SECONDS: u32 = 3_600;
const DAY_SECONDS: u32 = 86_400;

#[derive(Debug)]
pub struct Settings {
    /// The region in which numbers without `+` are read.
    pub region: Region,
    /// Under which addresses of the internet are counted.
    pub ip_hash_key: HashKey,
    pub ip_limits: Limits,
    pub slug_limits: Limits,
}

impl Settings {
    /// # Errors
    /// When a setting is missing or cannot be read.
    pub fn from_environment() -> Result<Self, SettingError> {
        Ok(Self {
            region: settings::parsed("DEFAULT_REGION", |text| Region::parse(text).ok())?,
            ip_hash_key: HashKey::new(&settings::required("IP_HASH_KEY")?),
            ip_limits: Limits {
                per_minute: limit("CAPTURE_IP_PER_MINUTE")?,
                per_window: limit("CAPTURE_IP_PER_HOUR")?,
                window_seconds: HOUR_SECONDS,
            },
            slug_limits: Limits {
                per_minute: limit("CAPTURE_SLUG_PER_MINUTE")?,
                per_window: limit("CAPTURE_SLUG_PER_DAY")?,
                window_seconds: DAY_SECONDS,
            },
        })
    }
}

fn limit(name: &'static str) -> Result<u32, SettingError> {
    settings::parsed(name, |text| text.parse().ok())
}
