//! A store of one's own for each test: dynoxide in this process, or, with `CONTRACT_ENDPOINT`, any engine that speaks
//! DynamoDB's API, under table names that nobody else has.

use aws_sdk_dynamodb::{Client, config::Builder, types::AttributeValue};
use referrals::{
    aws,
    settings::AwsSettings,
    store::{Directory, Ledger, OutboxTable, RateLimitTable, keys},
};

use crate::{CallCounter, tables};

/// An engine with empty tables.
#[derive(Debug, Clone)]
pub struct TestStore {
    pub client: Client,
    pub calls: CallCounter,
    pub table: String,
    pub outbox_table: String,
    pub rate_limit_table: String,
    pub settings: AwsSettings,
}

impl TestStore {
    pub async fn start() -> Self {
        let endpoint = match std::env::var("CONTRACT_ENDPOINT") {
            Ok(endpoint) => endpoint,
            Err(_) => embedded().await,
        };
        Self::start_at(endpoint).await
    }

    /// Of an engine that runs already.
    pub async fn start_at(endpoint: String) -> Self {
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
            session_token: None,
            endpoint_url: Some(endpoint),
        };
        let calls = CallCounter::default();
        let config = Builder::from(&aws::sdk_config(&settings)).interceptor(calls.clone()).build();
        let client = Client::from_conf(config);
        let unique = ulid::Ulid::generate();
        let store = Self {
            client,
            calls,
            table: format!("ledger-{unique}"),
            outbox_table: format!("outbox-{unique}"),
            rate_limit_table: format!("rate-limit-{unique}"),
            settings,
        };
        tables::create(&store.client, "LedgerTable", &store.table).await;
        tables::create(&store.client, "OutboxTable", &store.outbox_table).await;
        tables::create(&store.client, "RateLimitTable", &store.rate_limit_table).await;
        let _ = store.calls.take();
        store
    }

    #[must_use]
    pub fn ledger(&self) -> Ledger {
        Ledger::new(self.client.clone(), self.table.clone(), self.outbox_table.clone())
    }

    /// The same tables where nobody answers.
    #[must_use]
    pub fn unreachable(&self) -> Self {
        let settings = AwsSettings { endpoint_url: Some("http://127.0.0.1:9".to_owned()), ..self.settings.clone() };
        Self { client: Client::new(&aws::sdk_config(&settings)), settings, ..self.clone() }
    }

    #[must_use]
    pub fn directory(&self) -> Directory {
        Directory::new(self.client.clone(), self.table.clone())
    }

    #[must_use]
    pub fn outbox(&self) -> OutboxTable {
        OutboxTable::new(self.client.clone(), self.outbox_table.clone())
    }

    #[must_use]
    pub fn limiter(&self) -> RateLimitTable {
        RateLimitTable::new(self.client.clone(), self.rate_limit_table.clone())
    }

    /// Every item of the ledger.
    pub async fn items(&self) -> Vec<Item> {
        self.scan(&self.table).await.expect("the engine scans")
    }

    /// Every item of the outbox.
    pub async fn outbox_items(&self) -> Vec<Item> {
        self.find_outbox_items().await.expect("the engine scans")
    }

    /// The same. None when the engine does not answer.
    pub async fn find_outbox_items(&self) -> Option<Vec<Item>> {
        self.scan(&self.outbox_table).await
    }

    async fn scan(&self, table: &str) -> Option<Vec<Item>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let output = self
                .client
                .scan()
                .table_name(table)
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .ok()?;
            items.extend(output.items.unwrap_or_default().into_iter().map(Item));
            start = output.last_evaluated_key;
            if start.is_none() {
                return Some(items);
            }
        }
    }
}

/// One item, as stored.
#[derive(Debug, Clone)]
pub struct Item(pub std::collections::HashMap<String, AttributeValue>);

impl Item {
    /// A text attribute; empty when it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
    }

    #[must_use]
    pub fn number(&self, name: &str) -> i64 {
        self.0.get(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// The first part of the sort key: what kind of row this is.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text(keys::SK).split('#').next().unwrap_or_default()
    }

    /// Keys of the row that do not begin with an organization, of those that have to: all of the ledger's but those by which
    /// an organization is found, and the clock's lists: of all that is due, and of all organizations.
    #[must_use]
    pub fn unscoped_keys(&self) -> Vec<String> {
        let partitions = [keys::PK, keys::LIST_PK, keys::AGENT_PK, keys::REWARD_PK].map(|name| self.text(name));
        let is_list = |key: &str| [keys::DUE_HOLDS, keys::ORGANIZATIONS].contains(&key);
        let is_shared = |key: &str| key.starts_with("SLUG#") || key.starts_with("LOGIN#") || is_list(key);
        let unscoped = |key: &&str| !key.is_empty() && !key.starts_with("ORG#") && !is_shared(key);
        partitions.into_iter().filter(unscoped).map(str::to_owned).collect()
    }
}

/// Serves the tables of a file, until it is ended.
///
/// # Errors
/// When the file or the port cannot be had.
pub async fn serve_file(file: &str, port: u16) -> Result<(), Box<dyn std::error::Error>> {
    let database = dynoxide::Database::new(file)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    dynoxide::server::serve_on(listener, database).await;
    Ok(())
}

async fn embedded() -> String {
    let database = dynoxide::Database::memory().expect("a database in memory");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    format!("http://{address}")
}
