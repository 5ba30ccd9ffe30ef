//! Deals as the organization's transaction system tells of them, and which referral a deal came from.
//!
//! Events of one deal come in any order and more than once. Its revision says which is the latest; nothing else does.

use serde::{Deserialize, Serialize};

use super::{
    id::{DealId, PersonId, ReferralId, UserId},
    referral::{Referral, ReferralStatus},
    reward::{Conversion, Revenue, RewardPolicy},
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DealState {
    Won,
    Reopened,
    Lost,
}

/// What one event says of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DealNews {
    /// Later news of a deal has a higher one.
    pub revision: u64,
    pub state: DealState,
    /// When it was won, reopened or lost.
    pub at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_user_id: Option<UserId>,
    /// Whose deal it is, as People knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub person_ids: Vec<PersonId>,
    /// The referral that it came from, when the transaction system knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named_referral_id: Option<ReferralId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revenue: Option<Revenue>,
}

/// One deal that was heard of, matched or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deal {
    pub deal_id: DealId,
    /// The one referral that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referral_id: Option<ReferralId>,
    /// The latest that its own system has said; None for a deal that only an agent has named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news: Option<DealNews>,
    /// The revision that has become of its referral what it could. It goes when the link does, and is not applied again:
    /// what an agent does after a reversal is not undone by the reversal's being told twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_revision: Option<u64>,
    /// Counts changes.
    #[serde(default)]
    pub version: u64,
}

impl Deal {
    /// A deal of which nothing is known.
    #[must_use]
    pub fn unheard_of(deal_id: DealId) -> Self {
        Self { deal_id, referral_id: None, news: None, applied_revision: None, version: 0 }
    }

    /// Takes in news. False for what is no news: the same revision again, or an earlier one.
    pub fn hear(&mut self, news: DealNews) -> bool {
        let is_news = self.news.as_ref().is_none_or(|known| news.revision > known.revision);
        if is_news {
            self.news = Some(news);
        }
        is_news
    }

    /// Whether the deal stands as won.
    #[must_use]
    pub fn is_won(&self) -> bool {
        self.stands_as(DealState::Won)
    }

    #[must_use]
    pub fn stands_as(&self, state: DealState) -> bool {
        self.news.as_ref().is_some_and(|news| news.state == state)
    }

    /// Whether its referral has been told already what is known of it.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.referral_id.is_some()
            && self.applied_revision.is_some()
            && self.applied_revision == self.news.as_ref().map(|news| news.revision)
    }

    /// Takes its referral away from it. What it says it may say again, to another one.
    pub fn let_go(&mut self) {
        self.referral_id = None;
        self.applied_revision = None;
        self.version = self.version.saturating_add(1);
    }
}

/// What news of a deal makes of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is other than before.
    Changed,
    /// It is as the news would have it.
    Unchanged,
    /// The news is not for this referral, with the reason.
    NotHere(&'static str),
}

impl Referral {
    /// Takes in what was heard of `deal`: converts, adds what the deal brought, or goes back to QUALIFIED.
    pub fn hear_of(&mut self, deal: &DealId, news: &DealNews, policy: &RewardPolicy, now: Timestamp) -> Heard {
        let before = self.clone();
        let is_of_another_deal = self.resulting_deal_id.as_ref().is_some_and(|own| own != deal);
        match (news.state, self.status) {
            (_, ReferralStatus::Converted) if is_of_another_deal => return Heard::NotHere("converted by another deal"),
            (DealState::Won, ReferralStatus::Lost) if !is_in_window(self, news.at, policy.attribution_window_days) => {
                return Heard::NotHere("lost, and won outside the attribution window");
            }
            (DealState::Won, ReferralStatus::Converted) => self.bring_in(news),
            (DealState::Won, _) => {
                self.status = ReferralStatus::Converted;
                self.leave_lost();
                self.resulting_deal_id = Some(deal.clone());
                self.bring_in(news);
                self.bring_up_reward(policy, news.at, now);
                self.reversed = false;
            }
            (DealState::Reopened | DealState::Lost, ReferralStatus::Converted) => self.reverse(),
            (DealState::Reopened | DealState::Lost, _) => {}
        }
        if *self == before { Heard::Unchanged } else { Heard::Changed }
    }

    /// What the deal brought. Later news may correct it; what is not said stays.
    fn bring_in(&mut self, news: &DealNews) {
        let conversion = self.conversion.get_or_insert(Conversion { converted_at: news.at, revenue: None });
        // Whatever was heard before: the latest news says when, so that it does not matter what came first.
        conversion.converted_at = news.at;
        if news.revenue.is_some() {
            conversion.revenue.clone_from(&news.revenue);
        }
        self.value_reward();
    }
}

fn is_in_window(referral: &Referral, won_at: Timestamp, window_days: u32) -> bool {
    referral.created_at < won_at && won_at <= referral.created_at.plus_days(window_days.into())
}

/// Among the referrals of a deal's people that are no other deal's: the oldest open one, else the latest lost one; created
/// before the win and inside the window.
#[must_use]
pub fn match_referral<'a>(
    won_at: Timestamp,
    window_days: u32,
    candidates: &(impl Iterator<Item = &'a Referral> + Clone),
) -> Option<&'a Referral> {
    let fits = |referral: &&Referral| is_in_window(referral, won_at, window_days);
    let place = |referral: &&Referral| (referral.created_at, referral.id.clone());
    let is_open =
        |status| matches!(status, ReferralStatus::Received | ReferralStatus::Contacted | ReferralStatus::Qualified);
    let fitting = || candidates.clone().filter(fits);
    let open = fitting().filter(|referral| is_open(referral.status)).min_by_key(place);
    open.or_else(|| fitting().filter(|referral| referral.status == ReferralStatus::Lost).max_by_key(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::Zone,
        contact::Contact,
        id::OrgId,
        money::Currency,
        referral::{Channel, NewReferral, RewardStatus, RewardType},
        text::{PersonName, Reason},
    };

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::parse("2026-11-22T07:00:00Z").unwrap().plus_seconds(seconds)
    }

    fn deal_id(text: &str) -> DealId {
        DealId::parse(text).unwrap()
    }

    fn referral(id: &str, created_at: i64, status: ReferralStatus, deal: &str) -> Referral {
        let new = NewReferral {
            referrer_person_id: PersonId::parse("person_1").unwrap(),
            referred_name: PersonName::parse("Sam Lee").unwrap(),
            referred_contact: Contact::default(),
            agent_user_id: UserId::parse("user_1").unwrap(),
            channel: Channel::Manual,
            notes: None,
        };
        let id = ReferralId::parse(id).unwrap();
        let mut referral = Referral::received(id, OrgId::parse("org_1").unwrap(), new, at(created_at), &Zone::utc());
        referral.status = status;
        referral.resulting_deal_id = DealId::parse(deal).ok();
        referral
    }

    /// Of two days after the first referral.
    fn news(revision: u64, state: DealState) -> DealNews {
        DealNews {
            revision,
            state,
            at: at(2 * DAY),
            agent_user_id: None,
            person_ids: vec![],
            named_referral_id: None,
            revenue: None,
        }
    }

    fn policy() -> RewardPolicy {
        let mut policy = RewardPolicy::default_of(OrgId::parse("org_1").unwrap());
        (policy.reward_type, policy.reward_value) = (RewardType::GiftCard, Some(5_000));
        policy
    }

    fn hear(referral: &mut Referral, deal: &str, news: &DealNews) -> Heard {
        referral.hear_of(&deal_id(deal), news, &policy(), at(9 * DAY))
    }

    #[test]
    fn the_oldest_open_one_wins_else_the_latest_lost_one() {
        use ReferralStatus::{Contacted, Converted, Lost, Qualified, Received};
        let rows: [(&str, Vec<Referral>, Option<&str>); 8] = [
            ("nobody", vec![], None),
            (
                "oldest open",
                vec![referral("ref_2", 2, Received, ""), referral("ref_1", 1, Qualified, "")],
                Some("ref_1"),
            ),
            (
                "open before lost",
                vec![referral("ref_1", 1, Lost, ""), referral("ref_2", 2, Contacted, "")],
                Some("ref_2"),
            ),
            ("latest lost", vec![referral("ref_1", 1, Lost, ""), referral("ref_2", 2, Lost, "")], Some("ref_2")),
            ("converted is none", vec![referral("ref_1", 1, Converted, "deal_9")], None),
            ("of this deal", vec![referral("ref_1", 1, Qualified, "deal_1")], Some("ref_1")),
            ("after the win", vec![referral("ref_1", 10 * DAY, Received, "")], None),
            ("at the win", vec![referral("ref_1", 5 * DAY, Received, "")], None),
        ];
        for (case, candidates, wanted) in rows {
            let found = match_referral(at(5 * DAY), 730, &candidates.iter());
            assert_eq!(found.map(|found| found.id.as_str()), wanted, "{case}");
        }
    }

    #[test]
    fn the_window_counts_from_the_referral_to_the_win() {
        for (won_at, found) in [(730 * DAY, true), (730 * DAY + 1, false)] {
            for status in [ReferralStatus::Lost, ReferralStatus::Received] {
                let candidates = [referral("ref_1", 0, status, "")];
                let matched = match_referral(at(won_at), 730, &candidates.iter());
                assert_eq!(matched.is_some(), found, "{won_at} {status:?}");
            }
        }
    }

    #[test]
    fn only_a_higher_revision_is_news() {
        let mut deal = Deal::unheard_of(deal_id("deal_1"));
        for (revision, state, is_news, is_won) in [
            (2, DealState::Won, true, true),
            (2, DealState::Lost, false, true),
            (1, DealState::Reopened, false, true),
            (3, DealState::Reopened, true, false),
            (7, DealState::Won, true, true),
            (5, DealState::Lost, false, true),
        ] {
            assert_eq!((deal.hear(news(revision, state)), deal.is_won()), (is_news, is_won), "{revision} {state:?}");
        }
    }

    #[test]
    fn what_is_won_converts_and_what_is_taken_back_is_qualified_again() {
        for status in ReferralStatus::ALL {
            let mut before = referral("ref_1", 0, status, "deal_1");
            before.lost_reason = Reason::parse("no answer").unwrap();
            before.reversed = true;
            let mut won = before.clone();
            assert_eq!(hear(&mut won, "deal_1", &news(1, DealState::Won)), Heard::Changed, "{status:?}");
            assert_eq!(won.status, ReferralStatus::Converted);
            assert_eq!(won.conversion, Some(Conversion { converted_at: at(2 * DAY), revenue: None }));
            if status != ReferralStatus::Converted {
                assert_eq!((&won.lost_reason, won.reversed), (&None, false), "{status:?}");
                assert_eq!(won.reward_status, RewardStatus::Pending, "{status:?}");
            }
            let again = won.clone();
            assert_eq!(hear(&mut won, "deal_1", &news(2, DealState::Won)), Heard::Unchanged, "{status:?}");
            assert_eq!(won, again);

            for state in [DealState::Reopened, DealState::Lost] {
                let mut back = before.clone();
                let heard = hear(&mut back, "deal_1", &news(1, state));
                if status == ReferralStatus::Converted {
                    assert_eq!((heard, back.status), (Heard::Changed, ReferralStatus::Qualified), "{state:?}");
                } else {
                    assert_eq!((heard, &back), (Heard::Unchanged, &before), "{state:?} in {status:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_won_is_over_no_more() {
        let mut referral = referral("ref_1", 0, ReferralStatus::Lost, "").expired(at(DAY));
        assert_eq!(hear(&mut referral, "deal_1", &news(1, DealState::Won)), Heard::Changed);
        assert_eq!((referral.status, referral.expired_at), (ReferralStatus::Converted, None));
    }

    #[test]
    fn what_belongs_to_another_deal_or_was_lost_too_long_ago_stays() {
        for state in [DealState::Won, DealState::Reopened, DealState::Lost] {
            let before = referral("ref_1", 0, ReferralStatus::Converted, "deal_1");
            let mut after = before.clone();
            let heard = hear(&mut after, "deal_2", &news(1, state));
            assert!(matches!(heard, Heard::NotHere(_)), "{state:?}");
            assert_eq!(after, before, "{state:?}");
        }
        // One that is open goes with the deal that is won.
        let mut open = referral("ref_1", 0, ReferralStatus::Qualified, "deal_1");
        assert_eq!(hear(&mut open, "deal_2", &news(1, DealState::Won)), Heard::Changed);
        assert_eq!(open.resulting_deal_id, Some(deal_id("deal_2")));
        for (won_at, is_here) in [(730 * DAY, true), (730 * DAY + 1, false)] {
            let mut lost = referral("ref_1", 0, ReferralStatus::Lost, "");
            let heard = hear(&mut lost, "deal_1", &DealNews { at: at(won_at), ..news(1, DealState::Won) });
            assert_eq!(matches!(heard, Heard::NotHere(_)), !is_here, "{won_at}");
            assert_eq!(lost.status == ReferralStatus::Converted, is_here, "{won_at}");
        }
    }

    #[test]
    fn later_news_corrects_what_the_deal_brought_and_what_it_does_not_say_stays() {
        let revenue = |price| {
            let currency = Currency::us_dollar();
            Some(Revenue { currency, sale_price_minor: Some(price), gross_commission_minor: None })
        };
        let mut referral = referral("ref_1", 0, ReferralStatus::Received, "");
        for (day, told, known) in [(3, revenue(7), revenue(7)), (4, None, revenue(7)), (2, revenue(9), revenue(9))] {
            let told = DealNews { at: at(day * DAY), revenue: told, ..news(1, DealState::Won) };
            assert_eq!(hear(&mut referral, "deal_1", &told), Heard::Changed, "{day}");
            assert_eq!(referral.conversion, Some(Conversion { converted_at: at(day * DAY), revenue: known }), "{day}");
        }
    }

    #[test]
    fn a_deal_is_applied_when_its_referral_has_heard_the_latest_until_it_is_let_go() {
        for (is_linked, applied, latest, wanted) in [
            (true, Some(2), Some(2), true),
            (false, Some(2), Some(2), false),
            (true, Some(1), Some(2), false),
            (true, None, Some(2), false),
            (true, None, None, false),
            (true, Some(2), None, false),
        ] {
            let mut deal = Deal::unheard_of(deal_id("deal_1"));
            deal.referral_id = is_linked.then(|| ReferralId::parse("ref_1").unwrap());
            deal.applied_revision = applied;
            deal.news = latest.map(|revision| news(revision, DealState::Won));
            assert_eq!(deal.is_applied(), wanted, "{is_linked} {applied:?} {latest:?}");
            let told = deal.news.clone();
            deal.let_go();
            let left = Deal { news: told, version: 1, ..Deal::unheard_of(deal_id("deal_1")) };
            assert_eq!(deal, left);
        }
    }
}
