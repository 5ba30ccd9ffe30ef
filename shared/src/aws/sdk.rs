//! What all SDK clients of a process share: one HTTPS client (one set of root certificates, one pool of connections),
//! region and credentials from the environment, explicit timeouts, a pinned behaviour.

use std::time::Duration;

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime_api::client::{
    behavior_version::BehaviorVersion, stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SdkConfig, region::Region};

use crate::settings::AwsSettings;

/// Builds the configuration from which every client of the process is made. An operation ends within four seconds: below
/// every function's timeout, and below the five that Cognito gives a trigger.
#[must_use]
pub fn sdk_config(settings: &AwsSettings) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(4))
        .build();
    let credentials = Credentials::new(
        settings.access_key_id.clone(),
        settings.secret_access_key.clone(),
        settings.session_token.clone(),
        None,
        "environment",
    );
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https())
        // They stand in the environment and do not change: there is nothing to look up, and nothing to keep.
        .identity_cache(IdentityCache::no_cache())
        .timeout_config(timeouts)
        // Bodies are small and whole, and an attempt ends in two seconds.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::standard().with_max_attempts(3));
    config.set_endpoint_url(settings.endpoint_url.clone());
    config.build()
}
