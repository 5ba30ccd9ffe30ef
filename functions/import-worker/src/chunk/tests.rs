//! import-worker on the golden event: what it does, what it cannot read, and what it leaves when its time is over.

use referrals::{
    domain::import::{ImportStatus, RowOutcome},
    ports::Clock as _,
    store::keys,
};
use referrals_testing::{Fixtures, TestStore, Upload, batch, failed, in_a_minute};
use serde_json::{Value, json};

use super::*;

const READY: &str = include_str!("../../../../events/bus/import-chunk-ready.v1.json");

struct Scene {
    app: App,
    store: TestStore,
    upload: Upload,
}

impl Scene {
    /// Three rows wait, of which the last is wrong.
    async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let app = App { ledger: store.ledger(), directory: store.directory(), rows_per_second: 0 };
        let pat = ["referrerEmail=pat@example.com"];
        let rows = [Upload::row(2, &pat), Upload::row(3, &pat), Upload::row(4, &["receivedAt=yesterday"])];
        let upload = Upload::begin(&store, &rows, false).await;
        Self { app, store, upload }
    }

    /// The golden event, about the chunk that waits.
    fn event(&self) -> Value {
        let mut event: Value = serde_json::from_str(READY).unwrap();
        event["detail"]["data"]["importId"] = json!(self.upload.import.id);
        event
    }

    async fn handle_until(&self, event: &Value, deadline: SystemTime) -> usize {
        let response = handle(&self.app, &batch(&[event.to_string()]), deadline).await;
        failed(&response).len()
    }

    async fn handle(&self, event: &Value) -> usize {
        self.handle_until(event, in_a_minute()).await
    }

    async fn referrals(&self) -> usize {
        self.store.items().await.iter().filter(|item| item.kind() == keys::REFERRAL).count()
    }
}

#[tokio::test]
async fn a_chunk_is_worked_through_once() {
    let scene = Scene::new().await;
    assert_eq!(scene.handle(&scene.event()).await, 0);
    let import = scene.upload.now(&scene.store).await;
    assert_eq!((import.status(), import.chunks_done), (ImportStatus::Completed, 1));
    assert_eq!((import.counts.created, import.counts.unchanged, import.counts.failed), (2, 0, 1));
    let report = scene.upload.report(&scene.store, 1).await;
    assert_eq!(report[2].outcome, RowOutcome::Failed);
    let codes: Vec<&str> = report[2].errors.iter().map(|error| error.code.as_str()).collect();
    assert_eq!(codes, ["email_or_phone_required", "invalid_time"]);
    assert_eq!(scene.handle(&scene.event()).await, 0, "delivered again");
    assert_eq!(scene.upload.now(&scene.store).await, import);
    assert_eq!(scene.referrals().await, 2);
}

#[tokio::test]
async fn without_time_for_a_row_the_chunk_comes_again() {
    let scene = Scene::new().await;
    // Enough to begin a message, not enough to begin a row.
    let soon = in_a_minute() - Duration::from_secs(45);
    assert_eq!(scene.handle_until(&scene.event(), soon).await, 1);
    assert_eq!(scene.referrals().await, 0);
    assert_eq!(scene.handle(&scene.event()).await, 0);
    assert_eq!(scene.referrals().await, 2);
}

#[tokio::test]
async fn rows_keep_their_pace() {
    let mut scene = Scene::new().await;
    scene.app.rows_per_second = 4;
    let begun = SystemClock.now();
    assert_eq!(scene.handle(&scene.event()).await, 0);
    // The first waits for nothing, the second a quarter of a second, and the third is not written.
    assert!(SystemClock.now() >= begun.plus_millis(250));
}

#[tokio::test]
async fn what_is_no_chunk_of_ours_goes_the_way_of_dead_letters() {
    let scene = Scene::new().await;
    for (pointer, value) in [
        ("/source", json!("example.crm")),
        ("/detail-type", json!("REFERRAL_RECEIVED")),
        ("/detail/metadata/version", json!(2)),
        ("/detail/data/chunk", json!("one")),
        ("/detail/data/importId", json!("no id")),
        ("/detail/data", json!({})),
    ] {
        let mut event = scene.event();
        *event.pointer_mut(pointer).unwrap() = value;
        assert_eq!(scene.handle(&event).await, 1, "{pointer}");
    }
    assert_eq!(scene.referrals().await, 0);
}

#[tokio::test]
async fn a_chunk_that_nobody_knows_goes_the_way_of_the_dead_letters() {
    let scene = Scene::new().await;
    let mut foreign = scene.event();
    foreign["detail"]["metadata"]["organizationId"] = json!(Fixtures::OTHER_ORGANIZATION);
    let mut later = scene.event();
    later["detail"]["data"]["chunk"] = json!(2);
    for event in [foreign, later] {
        assert_eq!(scene.handle(&event).await, 1);
    }
    assert_eq!((scene.referrals().await, scene.upload.now(&scene.store).await.chunks_done), (0, 0));
}
