//! One page of a walk: whose, from where, and what it found.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use referrals::{
    domain::{id::OrgId, scope::OrgScope},
    ports::{AttributionKeeper, LinkKeeper, MemberDirectory, PersonReader, ReferralReader, StoreError},
    system::{SystemClock, has_time},
    usecase::reconcile_counters::{Place, Report, reconcile_counters},
};
use serde::{Deserialize, Serialize};

/// For one person: some looks at them and a correction, on a bad day.
const ENOUGH: Duration = Duration::from_secs(20);

/// What an operator asks for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    organization_id: OrgId,
    /// `next` of the page before.
    #[serde(default)]
    after: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    organization_id: OrgId,
    #[serde(flatten)]
    report: Report,
    /// Where the walk goes on; null at its end.
    next: Option<String>,
}

/// A place as it goes out and comes back: opaque, and of one organization.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bookmark {
    organization: OrgId,
    place: Place,
}

impl Bookmark {
    fn written(&self) -> Option<String> {
        serde_json::to_vec(self).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// Why nothing was done, or not all of it.
#[derive(Debug)]
pub enum Refused {
    Request(serde_json::Error),
    UnknownOrganization,
    UnknownPlace,
    Store(StoreError),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => write!(f, "expected {{\"organizationId\": …, \"after\": …}}: {error}"),
            Self::UnknownOrganization => f.write_str("there is no such organization"),
            Self::UnknownPlace => f.write_str("`after` is not the `next` of a page of this organization"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// # Errors
/// When the request is not understood, or the store does not answer. The page can be asked for again.
pub async fn handle(
    ledger: &(impl ReferralReader + PersonReader + LinkKeeper + AttributionKeeper),
    directory: &impl MemberDirectory,
    event: serde_json::Value,
    deadline: SystemTime,
) -> Result<Answer, Refused> {
    let request: Request = serde_json::from_value(event).map_err(Refused::Request)?;
    // Whoever may invoke this function is an operator of the account: it has no route and no rule.
    let scope = OrgScope::from_operator(request.organization_id);
    let organization = scope.organization().clone();
    let place = match request.after.as_deref().map(Bookmark::read) {
        None => Place::default(),
        Some(Some(bookmark)) if bookmark.organization == organization => bookmark.place,
        Some(_) => return Err(Refused::UnknownPlace),
    };
    if directory.find_organization(&scope).await?.is_none() {
        return Err(Refused::UnknownOrganization);
    }
    let has_time = || has_time(deadline, ENOUGH);
    let (report, next) = reconcile_counters(ledger, &SystemClock, &scope, place, has_time).await?;
    log(&organization, &report);
    let bookmark = next.map(|place| Bookmark { organization: organization.clone(), place });
    Ok(Answer { organization_id: organization, report, next: bookmark.as_ref().and_then(Bookmark::written) })
}

fn log(organization: &OrgId, report: &Report) {
    tracing::info!(
        organization.id = %organization,
        reconcile.referrals = report.checked.referrals,
        reconcile.people = report.checked.people,
        reconcile.links = report.checked.links,
        reconcile.cells = report.checked.cells,
        reconcile.busy = report.busy.len(),
        "a page was reconciled"
    );
    let mended = report.corrected.len() + report.corrected_cells.len() + report.restored.len();
    let found = mended + report.dangling.len() + report.orphaned.len();
    if found > 0 {
        // An alarm counts this line.
        tracing::error!(organization.id = %organization, reconcile.found = found, "the ledger did not agree with itself");
    }
}

#[cfg(test)]
mod tests;
