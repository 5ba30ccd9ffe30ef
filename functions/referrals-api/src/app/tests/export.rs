//! The ledger as a file.

use std::collections::BTreeMap;

use referrals::domain::{
    id::{DealId, PersonId},
    import::{Column, FileFormat, RowContent},
    import_file,
    money::Currency,
    referral::{Channel, Origin, Referral, ReferralStatus, RewardStatus, RewardType},
    reward::{Conversion, Revenue},
    spreadsheet::unguarded,
    text::{Label, Notes, Reason},
    time::Timestamp,
};
use referrals_testing::{Bulk, contact, name};

use super::*;

const FILE: &str = "/api/reputation/referrals.csv";
const HEADER: &str = "sourceSystem,externalId,referrerName,referrerEmail,referrerPhone,referredName,referredEmail,\
                      referredPhone,agentUserId,channel,status,receivedAt,lostReason,dealId,convertedAt,\
                      salePriceMinor,grossCommissionMinor,currency,reversed,rewardType,rewardValue,\
                      rewardAmountMinor,rewardCurrency,rewardStatus,rewardSentAt,notes\r\n";

/// A page: its rows as cells by column, and where it goes on.
struct Page {
    text: String,
    rows: Vec<BTreeMap<String, String>>,
    next: Option<String>,
}

impl Page {
    fn ids(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row["externalId"].as_str()).collect()
    }
}

async fn page(world: &World, who: Who, path: &str) -> Page {
    let answered = world.call(call(who, "GET", path)).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert_eq!(answered.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answered.header("content-disposition"), "attachment; filename=\"referrals.csv\"");
    assert!(!answered.response.is_base64_encoded);
    let text = String::from_utf8(answered.response.body.as_deref().unwrap().to_vec()).unwrap();
    assert!(text.starts_with(HEADER));
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(Result::unwrap).collect();
    let link = answered.header("link");
    let next = link.strip_prefix('<').map(|link| link.strip_suffix(">; rel=\"next\"").unwrap().to_owned());
    Page { text, rows, next }
}

async fn pages(world: &World, who: Who, path: &str) -> Vec<Page> {
    let mut pages = vec![page(world, who, path).await];
    while let Some(next) = &pages.last().unwrap().next {
        let next = next.clone();
        pages.push(page(world, who, &next).await);
    }
    pages
}

fn robin() -> PersonId {
    Fixtures::person_111()
}

async fn put(world: &World, referrals: &[Referral]) {
    Bulk::put(&world.store, referrals.iter().flat_map(|row| [Bulk::row(row), Bulk::link(row)])).await;
}

#[tokio::test]
async fn an_empty_ledger_is_a_line_of_column_names() {
    let world = World::new().await;
    let page = page(&world, OWNER, FILE).await;
    assert_eq!((page.text.as_str(), page.next), (HEADER, None));
}

#[tokio::test]
async fn a_row_has_every_column_and_a_spreadsheet_takes_none_for_a_formula() {
    let world = World::new().await;
    let notes = "=HYPERLINK(\"https://evil.example\"),\nzweite Zeile; \"Ångström\" 🏡";
    let mut full = Bulk::referral(2, &Bulk::person(1).id);
    full.referred_name = name("@Sam, \"the\" Lee");
    full.referred_contact = contact("sam@example.com", "+14155552672");
    full.status = ReferralStatus::Lost;
    full.lost_reason = Reason::parse("-never called back").unwrap();
    full.resulting_deal_id = Some(DealId::parse("deal_7").unwrap());
    full.conversion = Some(Conversion {
        converted_at: Timestamp::parse("2026-11-21T07:00:00Z").unwrap(),
        revenue: Some(Revenue {
            currency: Currency::us_dollar(),
            sale_price_minor: Some(75_000_000),
            gross_commission_minor: Some(2_250_000),
        }),
    });
    full.reversed = true;
    full.reward_type = RewardType::GiftCard;
    full.reward_value = Some(5_000);
    full.reward_currency = Currency::parse("EUR").ok();
    full.reward_status = RewardStatus::Sent;
    full.reward_sent_at = Timestamp::parse("2026-11-22T08:00:00Z").ok();
    full.notes = Notes::parse(notes).unwrap();
    let gone = Bulk::referral(1, &PersonId::parse("person_gone").unwrap());
    Bulk::put(&world.store, [Bulk::person_row(&Bulk::person(1))]).await;
    put(&world, &[gone, full]).await;
    let page = page(&world, OWNER, FILE).await;
    assert_eq!(
        page.text.strip_prefix(HEADER).unwrap(),
        "winnerr,ref_00000000000000000000000002,Pat Jones,pat1@example.com,'+14155552671,\"'@Sam, \"\"the\"\" Lee\",\
         sam@example.com,'+14155552672,user_789,MANUAL,LOST,2026-11-10T17:13:22.000Z,'-never called back,deal_7,\
         2026-11-21T07:00:00.000Z,75000000,2250000,USD,true,gift_card,5000,,EUR,SENT,2026-11-22T08:00:00.000Z,\"'=HYPERLINK(\"\"https://evil.example\"\"),\nzweite Zeile; \
         \"\"Ångström\"\" 🏡\"\r\n\
         winnerr,ref_00000000000000000000000001,,,,Sam Lee,,,user_789,MANUAL,RECEIVED,2026-11-10T17:13:21.000Z,,,,,,,false,none,\
         ,,,NONE,,\r\n"
    );
    assert_eq!(unguarded(&page.rows[0]["notes"]), notes);
    assert_eq!(unguarded(&page.rows[0]["referrerPhone"]), "+14155552671");
}

#[tokio::test]
async fn an_imported_row_keeps_the_name_and_the_channel_that_it_came_with() {
    let world = World::new().await;
    let label = |text: &str| Label::parse(text).unwrap();
    let imported = |number, channel: Option<&str>| {
        let mut row = Bulk::referral(number, &robin());
        row.channel = Channel::Import;
        let (source_system, external_id) = (label("old crm"), label("=7 Sam Lee"));
        row.origin = Some(Box::new(Origin { source_system, external_id, channel: channel.map(label) }));
        row
    };
    put(&world, &[imported(1, None), imported(2, Some("Yard sign, \"north\""))]).await;
    let page = page(&world, OWNER, FILE).await;
    for (row, channel) in page.rows.iter().zip(["Yard sign, \"north\"", "IMPORT"]) {
        let cells = ["sourceSystem", "externalId", "channel"].map(|column| unguarded(&row[column]));
        assert_eq!(cells, ["old crm", "=7 Sam Lee", channel]);
    }
}

/// Every value of every column: the import's own reader finds the text that was meant.
#[tokio::test]
async fn an_export_is_a_file_that_an_import_reads() {
    let world = World::new().await;
    let mut row = Bulk::referral(1, &robin());
    row.referred_name = name("'=Sam \"the\" Lee");
    row.notes = Notes::parse("-1,\n\"two\"").unwrap();
    put(&world, &[row.clone(), Bulk::referral(2, &robin())]).await;
    let text = page(&world, OWNER, FILE).await.text;
    let read = import_file::read(text.as_bytes(), FileFormat::Csv).unwrap();
    assert_eq!(read.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3]);
    let RowContent::Cells(cells) = &read[1].content else { panic!("a row cannot be read") };
    for (column, wanted) in [
        (Column::ExternalId, row.id.as_str()),
        (Column::ReferrerPhone, "+14155550199"),
        (Column::ReferredName, "'=Sam \"the\" Lee"),
        (Column::ReceivedAt, &row.created_at.to_string()),
        (Column::Notes, "-1,\n\"two\""),
    ] {
        assert_eq!(cells[&column], wanted, "{column:?}");
    }
}

#[tokio::test]
async fn five_thousand_rows_are_a_page_and_one_more_is_two() {
    let world = World::new().await;
    let rows: Vec<_> = (1..=5_001).map(|number| Bulk::referral(number, &robin())).collect();
    put(&world, &rows).await;
    let pages = pages(&world, OWNER, FILE).await;
    assert_eq!(pages.iter().map(|page| page.rows.len()).collect::<Vec<_>>(), [5_000, 1]);
    let newest_first: Vec<_> = rows.iter().rev().map(|row| row.id.as_str()).collect();
    assert_eq!(pages.iter().flat_map(Page::ids).collect::<Vec<_>>(), newest_first);
    // Its referrer is read once for a page: after the account, five reads of rows and one of people.
    let _ = world.store.calls.take();
    page(&world, OWNER, FILE).await;
    let calls = world.store.calls.take();
    assert_eq!(calls.iter().filter(|call| *call == "Query").count(), 5);
    assert!(calls.iter().filter(|call| *call == "BatchGetItem").count() <= 2, "{calls:?}");
}

/// So much was typed that a page holds some two hundred rows.
fn long_rows() -> Vec<Referral> {
    // In CSV and in JSON each of these is four bytes.
    let notes = Notes::parse(&"\"".repeat(4_000)).unwrap();
    (1..=300).map(|number| Referral { notes: notes.clone(), ..Bulk::referral(number, &robin()) }).collect()
}

#[tokio::test]
async fn a_page_is_small_enough_for_lambda_whatever_was_typed() {
    let world = World::new().await;
    let rows = long_rows();
    put(&world, &rows).await;
    let pages = pages(&world, OWNER, FILE).await;
    assert_eq!(pages.len(), 2);
    for page in &pages {
        assert!(serde_json::to_string(&page.text).unwrap().len() <= 3_500_002, "{}", page.rows.len());
    }
    assert!(serde_json::to_string(&pages[0].text).unwrap().len() > 3_480_000, "the page is filled");
    let newest_first: Vec<_> = rows.iter().rev().map(|row| row.id.as_str()).collect();
    assert_eq!(pages.iter().flat_map(Page::ids).collect::<Vec<_>>(), newest_first);
}

#[tokio::test]
async fn filters_narrow_it_and_stand_in_the_link() {
    let world = World::new().await;
    let rows: Vec<_> = (1..=5_100)
        .map(|number| {
            let mut row = Bulk::referral(number, &robin());
            row.status = if number % 1_000 == 1 { ReferralStatus::Lost } else { ReferralStatus::Received };
            row
        })
        .collect();
    put(&world, &rows).await;
    let from = rows[1_000].created_at.to_string().replace(':', "%3A");
    let lost: Vec<_> =
        rows.iter().rev().filter(|row| row.status == ReferralStatus::Lost).map(|row| row.id.as_str()).collect();
    for (query, expected) in [
        ("status=LOST".to_owned(), &lost[..]),
        (format!("status=LOST&from={from}"), &lost[..5]),
        ("agentUserId=user_789&status=LOST".to_owned(), &lost),
        ("referrerPersonId=person_111&status=LOST&channel=MANUAL".to_owned(), &lost),
        ("channel=WIDGET".to_owned(), &[]),
        ("referrerPersonId=person_112".to_owned(), &[]),
    ] {
        let pages = pages(&world, OWNER, &format!("{FILE}?{query}")).await;
        assert_eq!(pages.iter().flat_map(Page::ids).collect::<Vec<_>>(), expected, "{query}");
        for next in pages.iter().filter_map(|page| page.next.as_ref()) {
            assert!(next.starts_with(&format!("{FILE}?{query}&cursor=")), "{next}");
        }
        // A filter that lets little through reads only so far: 20 reads of a thousand rows.
        assert_eq!(pages.len(), 1, "{query}");
    }
    let everything = page(&world, OWNER, &format!("{FILE}?channel=MANUAL")).await;
    assert_eq!(everything.rows.len(), 5_000);
    assert!(everything.next.unwrap().starts_with(&format!("{FILE}?channel=MANUAL&cursor=")));
}

#[tokio::test]
async fn a_member_gets_only_their_own() {
    let world = World::new().await;
    world.logged("Sam Lee").await;
    assert_eq!(page(&world, JANE, FILE).await.rows.len(), 1);
    for who in [BEN, OTHER] {
        for path in [FILE.to_owned(), format!("{FILE}?agentUserId=user_789")] {
            assert_eq!(page(&world, who, &path).await.text, HEADER, "{path}");
        }
    }
}

#[tokio::test]
async fn a_place_is_worth_nothing_elsewhere() {
    let world = World::new().await;
    put(&world, &long_rows()).await;
    let next = page(&world, OWNER, FILE).await.next.unwrap();
    let cursor = next.split_once("cursor=").unwrap().1;
    for (who, path) in [
        (OTHER, next.clone()),
        (JANE, next.clone()),
        (OWNER, format!("{REFERRALS}?cursor={cursor}")),
        (OWNER, format!("{FILE}?status=LOST&cursor={cursor}")),
        (OWNER, format!("{FILE}?cursor=x{cursor}")),
    ] {
        assert_eq!(world.call(call(who, "GET", &path)).await.code(), (400, "invalid_cursor"), "{path}");
    }
    let answered = world.call(call(OWNER, "GET", format!("{REFERRALS}?limit=1"))).await;
    let cursor = answered.body["nextCursor"].as_str().unwrap();
    assert_eq!(world.call(call(OWNER, "GET", format!("{FILE}?cursor={cursor}"))).await.code(), (400, "invalid_cursor"));
    for query in ["limit=5", "status=lost", "format=json"] {
        assert_eq!(world.call(call(OWNER, "GET", format!("{FILE}?{query}"))).await.code(), (400, "invalid_query"));
    }
    assert_eq!(world.call(call(OWNER, "POST", FILE)).await.code(), (405, "method_not_allowed"));
}
