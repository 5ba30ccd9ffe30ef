//! Rows of other systems become referrals: once, in the ledger alone, and whoever else is at it.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        id::{DealId, PersonId, ReferralId},
        import::{Column, FileFormat, RawRow, RowContent, RowError, RowOutcome, RowReport},
        import_file,
        person::Person,
        referral::{Channel, Referral, ReferralStatus, RiskFlag},
    },
    ports::{DealBook as _, MemberList as _, PersonReader as _},
    store::{keys, transaction::primary},
    system::RandomIds,
    usecase::{
        delete_referral::Deletion,
        import_chunk::{ChunkWork, Worked},
    },
};
use referrals_testing::{Fixtures, Upload, contact};
use serde_json::{Value, json};

use crate::world::World;

impl World {
    pub async fn import(&self, upload: &Upload, chunk: u32) -> Worked {
        self.import_while(upload, chunk, || true).await
    }

    async fn import_while(&self, upload: &Upload, chunk: u32, has_time: impl Fn() -> bool + Send) -> Worked {
        let work = ChunkWork {
            store: &self.ledger,
            directory: &self.store.directory(),
            clock: &*self.clock,
            ids: &RandomIds,
            rows_per_second: 0,
        };
        work.work_through(&upload.event(chunk), has_time).await.unwrap()
    }

    /// Uploads the rows as one chunk and has them imported; what became of each.
    pub async fn upload(&self, rows: &[RawRow]) -> Vec<RowReport> {
        let upload = Upload::begin(&self.store, rows, false).await;
        assert!(matches!(self.import(&upload, 1).await, Worked::Done(_)));
        upload.report(&self.store, 1).await
    }

    async fn only_referral(&self, report: &RowReport) -> Referral {
        self.referral(report.referral_id.as_ref().expect("a referral")).await
    }

    async fn holder(&self, email: &str) -> Person {
        let key = contact(email, "").identity().unwrap();
        let holder = self.ledger.find_key_holder(&Fixtures::scope(), &key).await.unwrap().expect("a holder");
        self.person(holder.as_str()).await
    }
}

fn of_pat(line: u32) -> RawRow {
    Upload::row(line, &["referrerEmail=pat@example.com"])
}

fn outcomes(reports: &[RowReport]) -> Vec<(u32, RowOutcome)> {
    reports.iter().map(|report| (report.line, report.outcome)).collect()
}

/// Everything but the rows of imports themselves, by key.
async fn ledger(world: &World) -> BTreeMap<String, HashMap<String, AttributeValue>> {
    let items = world.store.items().await.into_iter().filter(|item| !item.text("pk").contains("#IMPORT#"));
    items.map(|item| (format!("{} {}", item.text("pk"), item.text("sk")), item.0)).collect()
}

#[tokio::test]
async fn a_row_becomes_a_referral_and_nobody_is_told() {
    let world = World::new().await;
    let cells = [
        "referrerEmail=pat@example.com",
        "referrerPhone=(415) 555-2671",
        "channel=Facebook",
        "status=CONVERTED",
        "dealId=deal_1",
        "rewardType=gift_card",
        "rewardValue=5000",
        "rewardCurrency=USD",
        "rewardStatus=SENT",
        "rewardSentAt=2026-04-01",
    ];
    let reports = world.upload(&[Upload::row(2, &cells)]).await;
    assert_eq!(outcomes(&reports), [(2, RowOutcome::Created)]);
    let referral = world.only_referral(&reports[0]).await;
    assert_eq!((referral.channel, referral.status), (Channel::Import, ReferralStatus::Converted));
    assert_eq!(referral.created_at.to_string(), "2026-03-01T10:00:00.000Z");
    assert_eq!(referral.referred_person_id, None);
    let pat = world.person(referral.referrer_person_id.as_str()).await;
    assert_eq!((pat.total_referrals, pat.is_advocate(), pat.version), (1, true, 1));
    assert!(!pat.email_marketing_consent && !pat.sms_marketing_consent);
    let scope = Fixtures::scope();
    for key in [contact("pat@example.com", ""), contact("", "+14155552671")].map(|it| it.identity().unwrap()) {
        assert_eq!(world.ledger.find_key_holder(&scope, &key).await.unwrap(), Some(pat.id.clone()));
    }
    let deal = world.ledger.find_deal(&scope, &DealId::parse("deal_1").unwrap()).await.unwrap().unwrap();
    assert_eq!(deal.referral_id, Some(referral.id.clone()));
    assert!(world.store.outbox_items().await.is_empty(), "no event");
    let [audit] = &world.rows("AUDIT").await[..] else { panic!("one entry") };
    assert_eq!((audit.text("action"), audit.text("actor")), ("IMPORTED", Fixtures::OWNER));
    assert_eq!((audit.text("to"), audit.text("dealId"), audit.text("eventId")), ("CONVERTED", "deal_1", ""));
    for kind in ["PAIR", "CONSENT", "MESSAGE", "LEAD_OF", "CHUNK"] {
        assert_eq!(world.rows(kind).await.len(), 0, "{kind}");
    }
}

#[tokio::test]
async fn rows_cost_a_call_each() {
    let world = World::new().await;
    world.capture(contact("known@example.com", ""), contact("sam@example.com", "")).await;
    let rows = [
        of_pat(2),
        of_pat(3),
        Upload::row(4, &["referrerEmail=known@example.com"]),
        Upload::row(5, &["referrerEmail=known@example.com"]),
    ];
    let upload = Upload::begin(&world.store, &rows, false).await;
    world.import(&upload, 1).await;
    let write = "TransactWriteItems";
    // The chunk, its import, the organization, its members, its policy, what is known; a known referrer costs one more, once.
    let reads = ["GetItem", "GetItem", "GetItem", "Query", "GetItem", "BatchGetItem"];
    assert_eq!(world.store.calls.take(), [&reads[..], &[write; 5], &[write]].concat());
    let again = Upload::begin(&world.store, &rows, false).await;
    world.import(&again, 1).await;
    assert_eq!(world.store.calls.take(), [&reads[..], &[write]].concat(), "nothing but the report");
    world.import(&again, 1).await;
    assert_eq!(world.store.calls.take(), ["GetItem", "GetItem"]);
}

#[tokio::test]
async fn a_file_that_is_imported_again_adds_nothing() {
    let world = World::new().await;
    let rows = [of_pat(2), of_pat(3), Upload::row(4, &["referrerEmail=pat"])];
    let first = world.upload(&rows).await;
    assert_eq!(outcomes(&first), [(2, RowOutcome::Created), (3, RowOutcome::Created), (4, RowOutcome::Failed)]);
    let before = ledger(&world).await;
    let second = world.upload(&rows).await;
    assert_eq!(outcomes(&second), [(2, RowOutcome::Unchanged), (3, RowOutcome::Unchanged), (4, RowOutcome::Failed)]);
    assert_eq!(second[0].referral_id, first[0].referral_id);
    assert_eq!(second[2].errors, first[2].errors);
    assert!(ledger(&world).await == before, "the ledger is as it was");
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 2);
}

#[tokio::test]
async fn one_name_is_one_referral_whatever_else_the_rows_say() {
    let world = World::new().await;
    let name = |line: u32, channel: &str| {
        Upload::row(line, &["referrerEmail=pat@example.com", "externalId=17", &format!("channel={channel}")])
    };
    let rows = [
        name(2, "Web"),
        name(3, "Phone"),
        Upload::row(4, &["externalId=17", "sourceSystem=other", "referrerEmail=pat@example.com"]),
    ];
    let reports = world.upload(&rows).await;
    let wanted = [(2, RowOutcome::Created), (3, RowOutcome::Unchanged), (4, RowOutcome::Created)];
    assert_eq!(outcomes(&reports), wanted);
    assert_eq!(reports[0].referral_id, reports[1].referral_id);
}

#[tokio::test]
async fn an_import_counts_its_rows_and_keeps_none_of_their_text() {
    let world = World::new().await;
    let mut rows: Vec<RawRow> = (2..17).map(of_pat).collect();
    rows.push(RawRow { line: 17, content: RowContent::Unreadable(vec![RowError::of_row("wrong_field_count")]) });
    rows.push(Upload::row(18, &["externalId=2", "referrerEmail=pat@example.com"]));
    let upload = Upload::begin_in_chunks_of(10, &world.store, &rows, false).await;
    assert_eq!(upload.import.chunks, 2);
    // In any order.
    world.import(&upload, 2).await;
    let halfway = upload.now(&world.store).await;
    assert_eq!((halfway.chunks_done, halfway.counts.done(), halfway.version), (1, 7, 2));
    world.import(&upload, 1).await;
    let done = upload.now(&world.store).await;
    assert_eq!((done.chunks_done, done.counts.done(), done.version), (2, 17, 3));
    // The last row came first, so line 2 found it there.
    assert_eq!((done.counts.created, done.counts.unchanged, done.counts.failed), (15, 1, 1));
    let report = upload.report(&world.store, 2).await;
    assert_eq!(report[5].errors, [RowError::of_row("wrong_field_count")]);
    assert_eq!(world.import(&upload, 2).await, Worked::AlreadyDone);
    assert_eq!(upload.now(&world.store).await, done);
    let left = world.store.items().await.into_iter().filter(|item| item.text("pk").contains("#IMPORT#"));
    for item in left {
        let shown = format!("{:?}", item.0);
        assert!(!shown.contains("Pat") && !shown.contains("example.com"), "{:?}", item.text("sk"));
        assert!(item.number("expiresAt") > 0);
    }
}

#[tokio::test]
async fn a_chunk_that_was_left_goes_on_where_it_was() {
    let world = World::new().await;
    let rows: Vec<RawRow> = (2..12).map(of_pat).collect();
    let upload = Upload::begin(&world.store, &rows, false).await;
    let left = std::sync::atomic::AtomicUsize::new(4);
    let count_down = || left.fetch_update(order(), order(), |left| left.checked_sub(1)).is_ok();
    assert_eq!(world.import_while(&upload, 1, count_down).await, Worked::OutOfTime);
    assert_eq!(world.rows("REFERRAL").await.len(), 4);
    assert_eq!(upload.now(&world.store).await.counts.done(), 0, "nothing is reported yet");
    let Worked::Done(counts) = world.import(&upload, 1).await else { panic!("done") };
    assert_eq!((counts.created, counts.unchanged), (10, 0), "those of the first attempt are its own");
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 10);
}

fn order() -> std::sync::atomic::Ordering {
    std::sync::atomic::Ordering::Relaxed
}

#[tokio::test]
async fn two_workers_on_one_chunk_do_it_once() {
    let world = World::new().await;
    let rows: Vec<RawRow> = (2..22).map(of_pat).collect();
    let upload = Upload::begin(&world.store, &rows, false).await;
    let workers = [world.clone(), world.clone(), world.clone()].map(|world| {
        let upload = upload.clone();
        tokio::spawn(async move { world.import(&upload, 1).await })
    });
    let mut done = 0;
    for worker in workers {
        match worker.await.unwrap() {
            Worked::Done(counts) => {
                done += 1;
                assert_eq!(counts.created, 20, "whoever recorded them");
            }
            other => assert_eq!(other, Worked::AlreadyDone),
        }
    }
    assert_eq!(done, 1);
    assert_eq!(world.rows("REFERRAL").await.len(), 20);
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 20);
    assert_eq!(upload.now(&world.store).await.counts.created, 20);
}

#[tokio::test]
async fn one_advocate_of_two_chunks_is_one_person_with_everything() {
    let world = World::new().await;
    let rows: Vec<RawRow> = (2..52).map(of_pat).collect();
    let upload = Upload::begin_in_chunks_of(25, &world.store, &rows, false).await;
    let workers = [1, 2].map(|chunk| {
        let (world, upload) = (world.clone(), upload.clone());
        tokio::spawn(async move { world.import(&upload, chunk).await })
    });
    // A form about the same advocate meanwhile.
    world.capture(contact("pat@example.com", ""), contact("lou@example.com", "")).await;
    for worker in workers {
        assert!(matches!(worker.await.unwrap(), Worked::Done(_)));
    }
    assert_eq!(world.rows("REFERRED").await.len(), 51);
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 51);
    assert_eq!(upload.now(&world.store).await.counts.created, 50);
}

#[tokio::test]
async fn whoever_is_there_is_credited_and_keeps_what_they_have() {
    let world = World::new().await;
    let robin = world.person("person_111").await;
    let row =
        Upload::row(2, &["referrerEmail=Robin.Park@example.com", "referrerName=R. P.", "referrerPhone=+14155552671"]);
    let reports = world.upload(&[row]).await;
    assert_eq!(world.only_referral(&reports[0]).await.referrer_person_id, robin.id);
    let after = world.person("person_111").await;
    assert_eq!((&after.name, &after.phone, &after.owner_user_id), (&robin.name, &robin.phone, &robin.owner_user_id));
    assert_eq!((after.total_referrals, after.version), (robin.total_referrals + 1, robin.version + 1));
    assert!(after.is_advocate());
    let key = contact("", "+14155552671").identity().unwrap();
    assert_eq!(world.ledger.find_key_holder(&Fixtures::scope(), &key).await.unwrap(), None);
}

#[tokio::test]
async fn a_number_of_somebody_else_stays_theirs_and_is_flagged() {
    let world = World::new().await;
    // Robin's.
    let rows = [2, 3].map(|line| Upload::row(line, &["referrerEmail=pat@example.com", "referrerPhone=+14155550199"]));
    let reports = world.upload(&rows).await;
    let [first, second] = [&reports[0], &reports[1]];
    let (first, second) = (world.only_referral(first).await, world.only_referral(second).await);
    assert_eq!(first.referrer_person_id, second.referrer_person_id);
    assert!(first.risk_flags.contains(&RiskFlag::PossibleDuplicatePerson));
    assert_eq!(second.risk_flags.len(), 0, "nobody was new");
    let pat = world.person(first.referrer_person_id.as_str()).await;
    assert_eq!((pat.total_referrals, world.person("person_111").await.total_referrals), (2, 0));
}

#[tokio::test]
async fn a_key_that_leads_to_nobody_holds_up_no_row() {
    let world = World::new().await;
    let person = keys::person(&Fixtures::scope(), &PersonId::parse("person_111").unwrap());
    let delete = world.store.client.delete_item().table_name(&world.store.table);
    delete.set_key(Some(primary(&person))).send().await.unwrap();
    let rows = [2, 3].map(|line| Upload::row(line, &["referrerEmail=robin.park@example.com"]));
    let reports = world.upload(&rows).await;
    assert_eq!(outcomes(&reports), [(2, RowOutcome::Created), (3, RowOutcome::Created)]);
    for report in &reports {
        let referral = world.only_referral(report).await;
        assert!(referral.risk_flags.contains(&RiskFlag::PossibleDuplicatePerson));
    }
}

#[tokio::test]
async fn a_deal_of_another_referral_fails_its_row_alone() {
    let world = World::new().await;
    let with_deal = |line: u32, deal: &str| {
        let deal = format!("dealId={deal}");
        Upload::row(line, &["referrerEmail=pat@example.com", "status=CONVERTED", &deal])
    };
    let rows = [with_deal(2, "deal_1"), with_deal(3, "deal_1"), with_deal(4, "deal_2")];
    for dry_run in [true, false] {
        let upload = Upload::begin(&world.store, &rows, dry_run).await;
        world.import(&upload, 1).await;
        let reports = upload.report(&world.store, 1).await;
        let wanted = [(2, RowOutcome::Created), (3, RowOutcome::Failed), (4, RowOutcome::Created)];
        assert_eq!(outcomes(&reports), wanted, "{dry_run}");
        assert_eq!(reports[1].errors, [RowError::of(Column::DealId, "deal_already_attributed")]);
    }
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 2);
    let other = [Upload::row(9, &["referrerEmail=p@example.com", "dealId=deal_1"])];
    let upload = Upload::begin(&world.store, &other, true).await;
    world.import(&upload, 1).await;
    assert_eq!(outcomes(&upload.report(&world.store, 1).await), [(9, RowOutcome::Failed)]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_writes_nothing() {
    let world = World::new().await;
    world.upload(&[of_pat(2)]).await;
    let before = ledger(&world).await;
    let rows =
        [of_pat(2), of_pat(3), Upload::row(4, &[]), Upload::row(5, &["externalId=3", "referrerEmail=p@example.com"])];
    let upload = Upload::begin(&world.store, &rows, true).await;
    world.import(&upload, 1).await;
    let reports = upload.report(&world.store, 1).await;
    let wanted = [RowOutcome::Unchanged, RowOutcome::Created, RowOutcome::Failed, RowOutcome::Unchanged];
    assert_eq!(outcomes(&reports), [2, 3, 4, 5].into_iter().zip(wanted).collect::<Vec<_>>());
    assert!(reports[0].referral_id.is_some() && reports[1].referral_id.is_none());
    assert!(ledger(&world).await == before, "the ledger is as it was");
}

#[tokio::test]
async fn what_was_deleted_can_be_imported_again() {
    let world = World::new().await;
    let rows = [of_pat(2), of_pat(3)];
    let first = world.upload(&rows).await;
    let wrong: &ReferralId = first[0].referral_id.as_ref().unwrap();
    assert_eq!(world.delete(wrong).await, Deletion::Done);
    assert_eq!(world.rows("ORIGIN").await.len(), 1);
    let second = world.upload(&rows).await;
    assert_eq!(outcomes(&second), [(2, RowOutcome::Created), (3, RowOutcome::Unchanged)]);
    assert_ne!(second[0].referral_id, first[0].referral_id);
    assert_eq!(world.holder("pat@example.com").await.total_referrals, 2);
}

#[tokio::test]
async fn members_are_all_who_ever_were() {
    let world = World::new().await;
    let members = world.ledger.list_members(&Fixtures::scope()).await.unwrap();
    let ids: Vec<&str> = members.iter().map(|member| member.user_id.as_str()).collect();
    assert_eq!(ids, ["user_456", "user_789", "user_790", "user_791"]);
}

const CLEAN: &str = include_str!("../../../events/import/referrals.csv");
const CLEAN_LINES: &str = include_str!("../../../events/import/referrals.jsonl");
const WRONG: &str = include_str!("../../../events/import/errors.csv");
const WRONG_REPORT: &str = include_str!("../../../events/import/errors.report.json");

#[tokio::test]
async fn the_sample_files_become_what_they_say() {
    for (file, format) in [(CLEAN, FileFormat::Csv), (CLEAN_LINES, FileFormat::JsonLines)] {
        let world = World::new().await;
        let reports = world.upload(&import_file::read(file.as_bytes(), format).unwrap()).await;
        let wrong: Vec<_> = reports.iter().filter(|report| report.outcome != RowOutcome::Created).collect();
        assert!(wrong.is_empty() && !reports.is_empty(), "{wrong:?}");
    }
    let world = World::new().await;
    let reports = world.upload(&import_file::read(WRONG.as_bytes(), FileFormat::Csv).unwrap()).await;
    let told = |report: &RowReport| json!({"line": report.line, "outcome": report.outcome, "errors": report.errors});
    let wanted: Value = serde_json::from_str(WRONG_REPORT).unwrap();
    assert_eq!(json!({"rows": reports.iter().map(told).collect::<Vec<_>>()}), wanted);
}
