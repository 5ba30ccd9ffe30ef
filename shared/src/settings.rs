//! The process's settings: the only place that reads the environment.

use thiserror::Error;

/// A function does not start without its settings. The value is not told: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettingError {
    #[error("the environment variable {0} is missing or empty")]
    Missing(&'static str),
    #[error("the environment variable {0} cannot be read")]
    Unreadable(&'static str),
}

/// # Errors
/// When the variable is missing or empty.
pub fn required(name: &'static str) -> Result<String, SettingError> {
    optional(name).ok_or(SettingError::Missing(name))
}

/// # Errors
/// When the variable is missing, empty, or not what `parse` reads.
pub fn parsed<T>(name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<T, SettingError> {
    parse(&required(name)?).ok_or(SettingError::Unreadable(name))
}

/// None when the variable is missing or empty.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Where AWS is and who calls it, as Lambda puts it into the environment. The credentials of one execution environment
/// do not change while it lives.
#[derive(Clone)]
pub struct AwsSettings {
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
    /// Set where the services are not AWS's own: the local stack, and tests.
    pub endpoint_url: Option<String>,
}

impl AwsSettings {
    /// # Errors
    /// When a variable that Lambda always sets is missing.
    pub fn from_environment() -> Result<Self, SettingError> {
        Ok(Self {
            region: required("AWS_REGION")?,
            access_key_id: required("AWS_ACCESS_KEY_ID")?,
            secret_access_key: required("AWS_SECRET_ACCESS_KEY")?,
            session_token: optional("AWS_SESSION_TOKEN"),
            endpoint_url: optional("AWS_ENDPOINT_URL"),
        })
    }
}

impl std::fmt::Debug for AwsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsSettings").field("region", &self.region).finish_non_exhaustive()
    }
}
