//! What advocates brought, added up by advocate, agent, channel or month.

use std::collections::{BTreeMap, HashMap};

use crate::{
    domain::{
        access::Caller,
        attribution::{Cell, Figures, Grouping},
        calendar::Month,
        id::{PersonId, UserId},
        referral::Channel,
        text::PersonName,
    },
    ports::{AttributionReader, MemberList, PersonReader, StoreError},
};

/// Months of one report at most: ten years.
pub const MAX_MONTHS: u32 = 120;
/// Rows of one report at most. An answer has room for them, names included.
pub const MAX_ROWS: usize = 5_000;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub first: Month,
    /// Included.
    pub last: Month,
    pub agent: Option<UserId>,
    pub channel: Option<Channel>,
    pub grouping: Grouping,
}

/// Whose figures they are. A name is None where the person is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group {
    Advocate(PersonId, Option<PersonName>),
    Agent(UserId, Option<PersonName>),
    Channel(Channel),
    Month(Month),
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reported {
    Report {
        /// Months and channels in their order; advocates and agents with the most deals first, then the most referrals.
        rows: Vec<(Group, Figures)>,
        /// The sum of the rows.
        totals: Figures,
    },
    /// More rows than an answer has room for.
    TooLarge,
}

/// A plain member's report is of their own referrals: about another agent's there is nothing in it.
///
/// # Errors
/// When the store does not answer.
pub async fn report_attribution(
    store: &(impl AttributionReader + PersonReader + MemberList),
    caller: &Caller,
    question: &Question,
) -> Result<Reported, StoreError> {
    let own = caller.sees_only();
    let is_wanted = |cell: &Cell| {
        own.is_none_or(|own| cell.id.agent == *own)
            && question.agent.as_ref().is_none_or(|agent| cell.id.agent == *agent)
            && question.channel.is_none_or(|channel| cell.id.channel == channel)
    };
    let mut cells = store.cells_between(&caller.scope, question.first, question.last).await?;
    // What was counted and deleted leaves an empty cell.
    cells.retain(|cell| is_wanted(cell) && !cell.figures.is_nothing());
    let mut totals = Figures::default();
    for cell in &cells {
        totals.add(&cell.figures);
    }
    let rows = match question.grouping {
        Grouping::Month => in_order(sums(cells, |cell| cell.id.month), Group::Month),
        Grouping::Channel => in_order(sums(cells, |cell| cell.id.channel), Group::Channel),
        Grouping::Agent => {
            let rows = by_success(sums(cells, |cell| cell.id.agent.clone()));
            let members = if rows.is_empty() { Vec::new() } else { store.list_members(&caller.scope).await? };
            let mut names: HashMap<UserId, PersonName> =
                members.into_iter().map(|member| (member.user_id, member.name)).collect();
            rows.into_iter().map(|(id, figures)| (Group::Agent(id.clone(), names.remove(&id)), figures)).collect()
        }
        Grouping::Advocate => {
            let rows = by_success(sums(cells, |cell| cell.id.advocate.clone()));
            if rows.len() > MAX_ROWS {
                return Ok(Reported::TooLarge);
            }
            let ids: Vec<PersonId> = rows.iter().map(|(id, _)| id.clone()).collect();
            let people = store.find_people(&caller.scope, &ids).await?;
            let mut names: HashMap<PersonId, PersonName> =
                people.into_iter().map(|person| (person.id, person.name)).collect();
            rows.into_iter().map(|(id, figures)| (Group::Advocate(id.clone(), names.remove(&id)), figures)).collect()
        }
    };
    Ok(if rows.len() > MAX_ROWS { Reported::TooLarge } else { Reported::Report { rows, totals } })
}

fn sums<K: Ord>(cells: Vec<Cell>, key: impl Fn(&Cell) -> K) -> BTreeMap<K, Figures> {
    let mut sums: BTreeMap<K, Figures> = BTreeMap::new();
    for cell in cells {
        sums.entry(key(&cell)).or_default().add(&cell.figures);
    }
    sums
}

fn in_order<K>(sums: BTreeMap<K, Figures>, group: impl Fn(K) -> Group) -> Vec<(Group, Figures)> {
    sums.into_iter().map(|(key, figures)| (group(key), figures)).collect()
}

fn by_success<K>(sums: BTreeMap<K, Figures>) -> Vec<(K, Figures)> {
    let mut rows: Vec<(K, Figures)> = sums.into_iter().collect();
    // Stable: who is level stays in the order of ids.
    rows.sort_by_key(|(_, figures)| std::cmp::Reverse((figures.deals_won, figures.referrals)));
    rows
}
