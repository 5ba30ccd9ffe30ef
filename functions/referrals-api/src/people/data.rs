//! `GET /api/people/{id}/data`: everything that is kept of one person.

use axum::{
    Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::{
        access::Caller,
        consent::{ConsentChannel, ConsentDecision, ConsentEntry, ConsentMethod, ConsentText},
        id::{DealId, PersonId, ReferralId},
        message::{DeliveryNews, Message, MessageKind, MessageStatus},
        text::Reason,
        time::Timestamp,
    },
    http::{Authenticated, Code, CursorKey, ListIdentity, Problem},
    ports::{Clock as _, Place, ReferralData, Tie, TieKind},
    system::SystemClock,
    usecase::gather_person::{Gathered, Gathering, gather_person},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    openapi::PersonPath,
    page::{PageParams, Parameters},
    path_id::PathId,
    view::{ContactView, HistoryEntryView, PersonView, ReferralView},
};

/// Parts of a person's referrals: a cursor of the one says nothing in the other.
const OWN: &str = "own";
const SEARCHED: &str = "searched";

/// Nothing more is searched so long after the request came: a page takes a moment, and the function has fifteen seconds.
const ENOUGH_SECONDS: i64 = 6;

/// What somebody is, or was, in a referral.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TieView {
    /// They sent it.
    Referrer,
    /// They came through it.
    Lead,
    /// They were one of both, until it was deleted or got another lead; or it shows an address or a number of theirs only.
    Former,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConsentView {
    channel: ConsentChannel,
    decision: ConsentDecision,
    method: ConsentMethod,
    /// `public`, a member's id, or `system:` and a function.
    actor: String,
    consent_text_id: Option<ConsentText>,
    evidence: Option<Reason>,
    at: Timestamp,
    request_id: String,
}

impl From<ConsentEntry> for ConsentView {
    fn from(entry: ConsentEntry) -> Self {
        Self {
            channel: entry.channel,
            decision: entry.decision,
            method: entry.method,
            actor: entry.actor,
            consent_text_id: entry.consent_text_id,
            evidence: entry.evidence,
            at: entry.at,
            request_id: entry.request_id,
        }
    }
}

/// A message to this person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    kind: MessageKind,
    channel: ConsentChannel,
    status: MessageStatus,
    reason: Option<String>,
    sent_to: ContactView,
    delivery: Option<DeliveryNews>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            kind: message.kind,
            channel: message.channel,
            status: message.status,
            reason: message.reason,
            sent_to: message.sent_to.into(),
            delivery: message.delivery,
            created_at: message.created_at,
            updated_at: message.updated_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TiedReferralView {
    tie: TieView,
    referral_id: ReferralId,
    /// Null once it was deleted.
    referral: Option<ReferralView>,
    /// Oldest first.
    history: Vec<HistoryEntryView>,
    messages: Vec<MessageView>,
}

impl TiedReferralView {
    fn new((tie, data): (Tie, ReferralData), person: &PersonId) -> Self {
        let messages = data.messages.into_iter().filter(|message| message.person_id.as_ref() == Some(person));
        Self {
            tie: match tie.kind {
                TieKind::Referrer => TieView::Referrer,
                TieKind::Lead => TieView::Lead,
                TieKind::Former => TieView::Former,
            },
            referral_id: tie.referral,
            referral: data.referral.map(ReferralView::from),
            history: data.entries.into_iter().map(HistoryEntryView::from).collect(),
            messages: messages.map(MessageView::from).collect(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonDataView {
    person: PersonView,
    /// By channel, oldest first.
    consents: Vec<ConsentView>,
    /// Deals that name them.
    deal_ids: Vec<DealId>,
    /// A page of them: their own, oldest first, then those that only show an address or a number of theirs. What stands above
    /// is the same on each page.
    referrals: Vec<TiedReferralView>,
    /// Where the referrals go on; null at their end. There may be none on a page and more on the next.
    next_cursor: Option<String>,
}

/// The cursors of one person's referrals.
pub struct Cursors<'a> {
    pub key: &'a CursorKey,
    pub caller: &'a Caller,
    pub person: &'a PersonId,
    /// What they are for.
    pub list: &'static str,
    pub now: Timestamp,
}

impl Cursors<'_> {
    fn identity(&self, part: &str) -> ListIdentity {
        ListIdentity::new([self.list, part, self.caller.scope.organization().as_str(), self.person.as_str()])
    }

    pub fn seal(&self, place: &Place) -> Option<String> {
        let (part, position) = match place {
            Place::Own(position) => (OWN, position),
            Place::Searched(position) => (SEARCHED, position),
        };
        self.key.seal(&self.identity(part), position, self.now)
    }

    /// # Errors
    /// 400 for a cursor of another list.
    pub fn open(&self, parameters: &Parameters) -> Result<Option<Place>, Problem> {
        let own = parameters.after(self.key, &self.identity(OWN), self.now);
        own.map(|found| found.map(Place::Own)).or_else(|_| {
            let searched = parameters.after(self.key, &self.identity(SEARCHED), self.now)?;
            Ok(searched.map(Place::Searched))
        })
    }
}

/// Everything that is kept of a person, for them to be told: owners and admins. A referral shows what its sender wrote about
/// somebody else, too; look at it before you hand it on.
#[utoipa::path(
    get,
    path = "/api/people/{id}/data",
    tag = "people",
    params(PersonPath, PageParams),
    responses((status = 200, body = PersonDataView))
)]
pub async fn gather_data(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<PersonId>,
    query: RawQuery,
) -> Result<Json<PersonDataView>, Problem> {
    let parameters = Parameters::read(query, &["limit", "cursor"])?;
    let limit = usize::try_from(parameters.limit()?).unwrap_or(usize::MAX);
    let id = id.known()?;
    let now = SystemClock.now();
    let cursors = Cursors { key: &app.cursor_key, caller: &caller, person: &id, list: "person-data", now };
    let after = cursors.open(&parameters)?;
    let has_time = || SystemClock.now() < now.plus_seconds(ENOUGH_SECONDS);
    match gather_person(&app.ledger, &caller, &id, after, limit, has_time).await? {
        Gathering::Unknown => Err(Problem::new(Code::NotFound)),
        Gathering::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Gathering::Done(gathered) => {
            let Gathered { data, referrals, next } = *gathered;
            Ok(Json(PersonDataView {
                person: data.person.into(),
                consents: data.consents.into_iter().map(ConsentView::from).collect(),
                deal_ids: data.deals,
                referrals: referrals.into_iter().map(|found| TiedReferralView::new(found, &id)).collect(),
                next_cursor: next.and_then(|place| cursors.seal(&place)),
            }))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::RawQuery;
    use referrals::ports::Position;
    use referrals_testing::Fixtures;

    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_part_and_to_nobody_elses() {
        let (key, caller, now) = (CursorKey::new("secret"), Fixtures::owner(), SystemClock.now());
        let (person, other) = (PersonId::parse("person_1").unwrap(), PersonId::parse("person_2").unwrap());
        let cursors = |person, list| Cursors { key: &key, caller: &caller, person, list, now };
        let position = Position { created_at: now, id: "ref_1".to_owned() };
        for place in [Place::Own(position.clone()), Place::Searched(position)] {
            let cursor = cursors(&person, "person-data").seal(&place).unwrap();
            let parameters = Parameters::read(RawQuery(Some(format!("cursor={cursor}"))), &["cursor"]).unwrap();
            assert_eq!(cursors(&person, "person-data").open(&parameters).unwrap(), Some(place));
            assert!(cursors(&other, "person-data").open(&parameters).is_err());
            assert!(cursors(&person, "person-erasure").open(&parameters).is_err());
        }
        let none = Parameters::read(RawQuery(None), &["cursor"]).unwrap();
        assert_eq!(cursors(&person, "person-data").open(&none).unwrap(), None);
    }
}
