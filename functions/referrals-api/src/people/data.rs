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
    http::{Authenticated, Code, ListIdentity, Problem},
    ports::{Clock as _, ReferralData, Tie, TieKind},
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

/// What somebody is, or was, in a referral.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TieView {
    /// They sent it.
    Referrer,
    /// They came through it.
    Lead,
    /// They were one of both, until it was deleted or got another lead.
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
    /// Oldest first, a page of them; what stands above is the same on each page.
    referrals: Vec<TiedReferralView>,
    /// Where the referrals go on; null at their end.
    next_cursor: Option<String>,
}

pub fn identity(caller: &Caller, person: &PersonId, list: &str) -> ListIdentity {
    ListIdentity::new([list, caller.scope.organization().as_str(), person.as_str()])
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
    let (now, list) = (SystemClock.now(), identity(&caller, &id, "person-data"));
    let after = parameters.after(&app.cursor_key, &list, now)?;
    match gather_person(&app.ledger, &caller, &id, after.as_ref(), limit).await? {
        Gathering::Unknown => Err(Problem::new(Code::NotFound)),
        Gathering::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Gathering::Done(gathered) => {
            let Gathered { data, referrals, next } = *gathered;
            Ok(Json(PersonDataView {
                person: data.person.into(),
                consents: data.consents.into_iter().map(ConsentView::from).collect(),
                deal_ids: data.deals,
                referrals: referrals.into_iter().map(|found| TiedReferralView::new(found, &id)).collect(),
                next_cursor: next.and_then(|position| app.cursor_key.seal(&list, &position, now)),
            }))
        }
    }
}
