//! In whose name messages leave, and where their links lead.

use referrals::{
    http::UnsubscribeKey,
    settings::{SettingError, optional, required},
};

/// Stands for the referral's id in [`Settings::agent_page`].
const ID: &str = "{referralId}";

#[derive(Debug, Clone)]
pub struct Settings {
    /// The address that mail is from: an identity that SES knows.
    pub sender: String,
    /// Where the unsubscribe links lead, without a slash at the end.
    pub public_url: String,
    /// The page on which agents see a referral, with `{referralId}` in it.
    pub agent_page: String,
    /// Through which SES tells what became of a mail.
    pub configuration_set: Option<String>,
    /// The number from which SMS leave, where the account has several.
    pub sms_origination: Option<String>,
    pub unsubscribe_key: UnsubscribeKey,
}

impl Settings {
    /// # Errors
    /// When a setting is missing.
    pub fn from_environment() -> Result<Self, SettingError> {
        let public_url = required("PUBLIC_URL")?.trim_end_matches('/').to_owned();
        let agent_page =
            optional("AGENT_PAGE").unwrap_or_else(|| format!("{public_url}/api/reputation/referrals/{ID}"));
        Ok(Self {
            sender: required("SENDER_ADDRESS")?,
            public_url,
            agent_page,
            configuration_set: optional("CONFIGURATION_SET"),
            sms_origination: optional("SMS_ORIGINATION"),
            unsubscribe_key: UnsubscribeKey::new(&required("UNSUBSCRIBE_KEY")?),
        })
    }

    pub fn page_of(&self, referral: &str) -> String {
        self.agent_page.replace(ID, referral)
    }
}
