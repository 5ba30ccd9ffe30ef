//! A cursor goes on in the list that it came from, for those who see the same list, and nowhere else.

use referrals::{
    domain::{filter::ReferralFilter, reward_lane::RewardLane, time::Timestamp},
    http::ListIdentity,
    ports::{Clock as _, Position},
};

use super::*;
use crate::{referrals::list::identity, rewards};

const REWARDS: &str = "/api/reputation/rewards";
const EXPORT: &str = "/api/reputation/referrals.csv";

/// Where a cursor came from, or where it is tried.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    who: Who,
    template: String,
    filter: String,
}

impl Place {
    fn all(callers: &[Who]) -> Vec<Self> {
        let mut all = Vec::new();
        for operation in Operation::all().into_iter().filter(|o| o.method == "GET" && o.is_list_of_all()) {
            for who in callers {
                for filter in filters(&operation.template, *who) {
                    all.push(Self { who: *who, template: operation.template.clone(), filter });
                }
            }
        }
        all
    }

    /// Whether both are the same list: of one organization, under one filter, with nothing hidden from one of them.
    fn is_same_list(&self, other: &Self) -> bool {
        let narrowed = |place: &Self| {
            let is_narrowed = place.who.2 == "MEMBER" && [REFERRALS, REWARDS].contains(&place.template.as_str());
            is_narrowed.then_some(place.who.1)
        };
        (&self.template, &self.filter, self.who.0, narrowed(self))
            == (&other.template, &other.filter, other.who.0, narrowed(other))
    }

    /// An export has pages only of very many rows: here it gives no cursor, and takes none of a list.
    fn has_pages(&self) -> bool {
        self.template != EXPORT
    }

    fn page(&self, cursor: &str) -> Call {
        let limit = if self.has_pages() { "limit=1&" } else { "" };
        call(self.who, "GET", format!("{}?{limit}{}&cursor={cursor}", self.template, self.filter))
    }
}

fn filters(template: &str, who: Who) -> Vec<String> {
    let agent = if who.0 == Fixtures::ORGANIZATION { Fixtures::AGENT } else { Fixtures::OTHER_OWNER };
    match template {
        REFERRALS | EXPORT => vec![
            "from=2026-01-01T00:00:00Z".to_owned(),
            "from=2026-01-02T00:00:00Z".to_owned(),
            "to=2099-01-01T00:00:00Z".to_owned(),
            "status=RECEIVED".to_owned(),
            "channel=MANUAL".to_owned(),
            "rewardStatus=NONE".to_owned(),
            format!("agentUserId={}", if who == BEN { who.1 } else { agent }),
        ],
        REWARDS => vec!["lane=pending".to_owned(), "lane=sent".to_owned()],
        "/api/people" => vec!["limit=1".to_owned()],
        other => panic!("{other}: say here which filters it has"),
    }
}

#[tokio::test]
async fn a_cursor_is_worth_nothing_elsewhere() {
    let mut border = Border::new().await;
    border
        .world
        .call(call(BEN, "POST", REFERRALS).json(json!({"referrerPersonId": "person_111", "referredName": "Al"})))
        .await;
    for who in [JANE, BEN, OTHER] {
        for is_sent in [false, false, true, true] {
            let id = rewarded(&border, who).await;
            if is_sent {
                let sent = call(who, "POST", format!("{REFERRALS}/{id}/reward/mark-sent"));
                assert_eq!(border.world.call(sent.json(json!({"complianceAcknowledged": true}))).await.status, 200);
            }
            if who == OTHER {
                border.canaries.insert(id);
            }
        }
    }
    let name = "GET a list with a cursor";
    let targets = Place::all(&CALLERS);
    let without_limit = |place: &Place| Place { filter: place.filter.replace("limit=1", ""), ..place.clone() };
    let refused = border.cell(name, without_limit(&targets[0]).page("garbage")).await;
    assert_eq!(refused.code(), (400, "invalid_cursor"));
    let mut accepted = 0;
    let origins = Place::all(&[OWNER, ADMIN, JANE, BEN, OTHER]);
    for origin in origins.into_iter().filter(Place::has_pages) {
        let origin = without_limit(&origin);
        let first = call(origin.who, "GET", format!("{}?limit=1&{}", origin.template, origin.filter));
        // Counted only from this side: the other side's own list may show what is its own.
        let first = border.world.call(Call { path: first.path.trim_end_matches('&').to_owned(), ..first }).await;
        let cursor = text(&first, "nextCursor");
        for target in &targets {
            let target = without_limit(target);
            let mut request = target.page(&cursor);
            request.path = request.path.replace("&&", "&");
            let answered = border.cell(name, request).await;
            if target.is_same_list(&origin) {
                accepted += 1;
                assert_eq!(answered.status, 200, "{origin:?} {target:?} {}", answered.body);
            } else {
                assert_eq!(answered.bytes(), refused.bytes(), "{origin:?} {target:?}");
            }
        }
    }
    // Owner and admin see one list: seven filters of referrals and two lanes of rewards make 2 × 2 and one more of the member's own each; of
    // people there is one list for all three of them and Ben.
    assert_eq!(accepted, (7 + 2) * (2 * 2 + 1) + 4 * 3);
    insta::assert_snapshot!(border.counts());
}

#[tokio::test]
async fn a_cursor_that_was_altered_or_is_old_is_none() {
    let mut border = Border::new().await;
    let name = "GET a list with an altered cursor";
    let refused = border.cell(name, call(OWNER, "GET", format!("{REFERRALS}?cursor=garbage"))).await;
    let caller = Fixtures::owner();
    let scope = ["people", caller.scope.organization().as_str(), "", "", ""];
    let lists = [
        (REFERRALS, identity("referrals", &caller, &ReferralFilter::default()), &border.own.referrals[0]),
        (EXPORT, identity("referrals.csv", &caller, &ReferralFilter::default()), &border.own.referrals[0]),
        (REWARDS, rewards::list::identity(&caller, RewardLane::Pending), &border.own.referrals[0]),
        ("/api/people", ListIdentity::new(scope), &border.own.people[0]),
    ];
    let now = SystemClock.now();
    let mut tried = Vec::new();
    for (path, list, id) in lists {
        let position = Position { created_at: now, id: id.clone() };
        let sealed = |secret: &str, at: Timestamp| CursorKey::new(secret).seal(&list, &position, at).unwrap();
        let good = sealed("key", now);
        tried.push((path, good.clone(), true));
        tried.push((path, sealed("key", now.plus_seconds(-86_399 + 60)), true));
        tried.push((path, sealed("key", now.plus_seconds(-86_400)), false));
        tried.push((path, sealed("another key", now), false));
        for cut in [1, 2, good.len() / 2, good.len() - 1] {
            tried.push((path, good[..cut].to_owned(), false));
            tried.push((path, good[cut..].to_owned(), false));
        }
        tried.extend(
            [format!("{good}A"), format!("A{good}"), format!("{good}="), good.to_lowercase(), format!("{good}%00")]
                .map(|altered| (path, altered, false)),
        );
        for place in 0..good.len() - 1 {
            let mut altered = good.clone();
            altered.replace_range(place..=place, if &good[place..=place] == "A" { "B" } else { "A" });
            tried.push((path, altered, false));
        }
    }
    for (path, cursor, is_good) in tried {
        let limit = if path == EXPORT { "" } else { "limit=1&" };
        let answered = border.cell(name, call(OWNER, "GET", format!("{path}?{limit}cursor={cursor}"))).await;
        if is_good {
            assert_eq!(answered.status, 200, "{path} {cursor}");
        } else {
            assert_eq!(answered.bytes(), refused.bytes(), "{path} {cursor}");
        }
    }
    border.counts();
    assert!(border.cells[name] > 300, "{:?}", border.cells);
}
