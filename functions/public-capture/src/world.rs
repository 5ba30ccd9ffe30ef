//! The function on an embedded store, called as the gateway calls it.

use std::convert::Infallible;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use referrals::{
    domain::{digest::HashKey, phone::Region},
    http::answer,
    store::ProfileCache,
    system::SystemClock,
};
use referrals_testing::{Fixtures, Item, TestStore};
use serde_json::Value;

use crate::{settings::Settings, submit::App};

pub const GOLDEN: &str = include_str!("../../../events/http/public-capture.json");

pub struct World {
    pub app: App,
    pub store: TestStore,
}

impl World {
    pub async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let settings = Settings {
            region: Region::default(),
            ip_hash_key: HashKey::new("key"),
            ip_limits: Fixtures::LIMITS,
            slug_limits: Fixtures::LIMITS,
        };
        let app = App {
            profiles: ProfileCache::new(store.directory(), SystemClock),
            ledger: store.ledger(),
            limiter: store.limiter(),
            settings,
        };
        Self { app, store }
    }

    /// Sends the API's golden event after `change`.
    pub async fn send(&self, change: impl FnOnce(&mut Value)) -> ApiGatewayV2httpResponse {
        self.send_golden(GOLDEN, change).await
    }

    pub async fn send_golden(&self, golden: &str, change: impl FnOnce(&mut Value)) -> ApiGatewayV2httpResponse {
        let mut event: Value = serde_json::from_str(golden).unwrap();
        change(&mut event);
        let handle = |request| async { Ok::<_, Infallible>(crate::door::handle(&self.app, request).await) };
        answer(tower::service_fn(handle), &event.to_string()).await
    }

    pub async fn rows(&self, kind: &str) -> Vec<Item> {
        let mut items = self.store.items().await;
        items.retain(|item| item.kind() == kind);
        items
    }

    pub async fn is_empty(&self) -> bool {
        self.store.outbox_items().await.is_empty()
    }
}

pub fn text(response: &ApiGatewayV2httpResponse) -> String {
    String::from_utf8(response.body.as_deref().unwrap_or_default().to_vec()).unwrap()
}
