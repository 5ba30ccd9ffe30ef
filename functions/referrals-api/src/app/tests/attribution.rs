//! The attribution report over HTTP. That its figures are right is shown in `store_contract/office.rs`.

use referrals::{
    domain::{
        deal::{DealNews, DealState},
        id::{DealId, EventId, OrgId, ReferralId},
        money::Currency,
        reward::Revenue,
    },
    events::DealTold,
    usecase::hear_of_deal::hear_of_deal,
};

use super::*;

const REPORT: &str = "/api/reputation/attribution";

/// Tells that a deal of the referral was won.
async fn won(world: &World, path: &str, deal: &str, currency: &str, price: i64) {
    let told = DealTold {
        event_id: EventId::from_ulid(RandomIds.ulid(SystemClock.now())),
        organization_id: OrgId::parse(Fixtures::ORGANIZATION).unwrap(),
        deal_id: DealId::parse(deal).unwrap(),
        news: DealNews {
            revision: 1,
            state: DealState::Won,
            at: SystemClock.now(),
            agent_user_id: None,
            person_ids: vec![],
            named_referral_id: ReferralId::parse(path.rsplit('/').next().unwrap()).ok(),
            revenue: Some(Revenue {
                currency: Currency::parse(currency).unwrap(),
                sale_price_minor: Some(price),
                gross_commission_minor: Some(price / 40),
            }),
        },
    };
    hear_of_deal(&world.store.ledger(), &SystemClock, &RandomIds, &told).await.unwrap();
}

/// Robin sent three of Jane's, two of which were won; Pat sent one of Ben's.
async fn year() -> World {
    let world = World::new().await;
    let one = world.logged("Ann").await;
    let two = world.logged("Bob").await;
    world.logged("Cid").await;
    won(&world, &one, "deal_1", "USD", 50_000_000).await;
    won(&world, &two, "deal_2", "EUR", 40_000_000).await;
    let referrer = json!({"name": "=Pat Jones", "email": "pat@example.com"});
    let body = json!({"referrer": referrer, "agentUserId": "user_790", "referredName": "Dan"});
    assert_eq!(world.call(call(OWNER, "POST", REFERRALS).json(body)).await.status, 201);
    world
}

async fn report(world: &World, who: Who, query: &str) -> Value {
    let answered = world.call(call(who, "GET", format!("{REPORT}{query}"))).await;
    assert_eq!(answered.status, 200, "{}", answered.body);
    answered.body
}

#[tokio::test]
async fn a_report_has_every_field_of_the_contract() {
    let world = year().await;
    let mut body = report(&world, OWNER, "").await;
    assert!(body["from"].is_string() && body["to"].is_string(), "{body}");
    let pat = body["rows"][1]["advocatePersonId"].take();
    assert!(pat.as_str().unwrap().starts_with("person_"));
    let amount = |currency: &str, minor: i64| json!({"currency": currency, "amountMinor": minor});
    assert_eq!(
        body["rows"],
        json!([
            {
                "advocatePersonId": "person_111", "advocateName": "Robin Park", "referrals": 3, "contacted": 0, "qualified": 0,
                "converted": 2, "lost": 0, "open": 1, "conversionRate": 0.6667, "dealsWon": 2,
                "salesVolume": [amount("EUR", 40_000_000), amount("USD", 50_000_000)],
                "grossCommission": [amount("EUR", 1_000_000), amount("USD", 1_250_000)],
                "rewardsPending": [], "rewardsSent": [], "reversed": 0
            },
            {
                "advocatePersonId": null, "advocateName": "=Pat Jones", "referrals": 1, "contacted": 0, "qualified": 0,
                "converted": 0, "lost": 0, "open": 1, "conversionRate": 0.0, "dealsWon": 0, "salesVolume": [],
                "grossCommission": [], "rewardsPending": [], "rewardsSent": [], "reversed": 0
            }
        ])
    );
    assert_eq!((&body["groupBy"], &body["totals"]["referrals"]), (&json!("advocate"), &json!(4)));
    assert_eq!(body["totals"]["salesVolume"], body["rows"][0]["salesVolume"]);
}

#[tokio::test]
async fn a_report_is_grouped_and_narrowed_as_asked() {
    let world = year().await;
    let names = |body: &Value, field: &str| {
        let rows = body["rows"].as_array().unwrap().iter();
        rows.map(|row| (row[field].as_str().unwrap().to_owned(), row["referrals"].as_i64().unwrap()))
            .collect::<Vec<_>>()
    };
    let named =
        |rows: &[(&str, i64)]| rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect::<Vec<_>>();
    for (who, query, field, wanted) in [
        (OWNER, "?groupBy=agent", "agentName", named(&[("Jane Doe", 3), ("Ben Ito", 1)])),
        (OWNER, "?groupBy=channel", "channel", named(&[("MANUAL", 4)])),
        (OWNER, "?groupBy=agent&agentUserId=user_790", "agentUserId", named(&[("user_790", 1)])),
        (OWNER, "?groupBy=agent&channel=WIDGET", "agentUserId", vec![]),
        (JANE, "?groupBy=agent", "agentUserId", named(&[("user_789", 3)])),
        (JANE, "?groupBy=agent&agentUserId=user_790", "agentUserId", vec![]),
        (BEN, "", "advocateName", named(&[("=Pat Jones", 1)])),
        (OTHER, "", "advocateName", vec![]),
        (OWNER, "?from=2020-01&to=2020-12", "advocateName", vec![]),
    ] {
        assert_eq!(names(&report(&world, who, query).await, field), wanted, "{who:?} {query}");
    }
    let months = report(&world, OWNER, "?groupBy=month").await;
    assert_eq!((&months["rows"][0]["month"], &months["rows"][0]["referrals"]), (&months["to"], &json!(4)));
    // One query however long the range, and one batch for the names.
    let _ = world.store.calls.take();
    report(&world, OWNER, "?from=2017-01&to=2026-12").await;
    assert_eq!(world.store.calls.take(), ["Query", "BatchGetItem"]);
}

#[tokio::test]
async fn a_file_has_a_column_for_each_currency_and_no_formula() {
    let world = year().await;
    let answered = world.call(call(OWNER, "GET", format!("{REPORT}?format=csv&groupBy=advocate"))).await;
    assert_eq!(answered.header("content-type"), "text/csv; charset=utf-8; header=present");
    assert_eq!(answered.header("content-disposition"), "attachment; filename=\"attribution.csv\"");
    let text = String::from_utf8(answered.response.body.as_deref().unwrap().to_vec()).unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(
        lines[0],
        "advocatePersonId,advocateName,referrals,contacted,qualified,converted,lost,dealsWon,reversed,open,conversionRate,\
         salesVolumeMinorEUR,salesVolumeMinorUSD,grossCommissionMinorEUR,grossCommissionMinorUSD"
    );
    assert_eq!(lines[1], "person_111,Robin Park,3,0,0,2,0,2,0,1,0.6667,40000000,50000000,1000000,1250000");
    assert!(lines[2].ends_with(",'=Pat Jones,1,0,0,0,0,0,0,1,0.0000,0,0,0,0"), "{}", lines[2]);
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn a_question_that_is_none_is_refused() {
    let world = World::new().await;
    for (query, pointer, code) in [
        ("?from=2026-13", "?from", "invalid"),
        ("?from=2026-1", "?from", "invalid"),
        ("?to=yesterday", "?to", "invalid"),
        ("?from=2026-02&to=2026-01", "?to", "invalid_range"),
        ("?from=2016-12&to=2026-12", "?to", "invalid_range"),
        ("?groupBy=deal", "?groupBy", "invalid"),
        ("?format=xml", "?format", "invalid"),
        ("?channel=widget", "?channel", "invalid"),
        ("?limit=5", "?", "unknown_parameter"),
        ("?from=2026-01&from=2026-02", "?from", "repeated"),
    ] {
        let answered = world.call(call(OWNER, "GET", format!("{REPORT}{query}"))).await;
        let wanted = if code == "invalid_range" { (422, "invalid_fields") } else { (400, "invalid_query") };
        assert_eq!(answered.code(), wanted, "{query}");
        assert_eq!(answered.body["errors"], json!([{"pointer": pointer, "code": code}]), "{query}");
    }
}
