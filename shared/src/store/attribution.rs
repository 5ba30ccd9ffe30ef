//! The figures of advocates. They move in the transactions that write referrals' rows, by what the rows come to count more
//! or less; see the module `domain::attribution`.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use super::{
    Ledger,
    error::{store_error, unreadable_row},
    keys,
    rows::{from_item, to_item},
    transaction::{Attributes, Committed, Transaction},
};
use crate::{
    domain::{
        attribution::{Cell, CellId, Figures},
        calendar::Month,
        id::{PersonId, UserId},
        money::Currency,
        referral::{Channel, Referral},
        scope::OrgScope,
    },
    ports::{AttributionKeeper, AttributionReader, CellCorrection, CorrectionOutcome, Revised, StoreError},
};

/// Which cell a row is; the figures stand beside it, each under its name, a sum of money under its name and currency.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CellRow {
    month: Month,
    advocate_person_id: PersonId,
    agent_user_id: UserId,
    channel: Channel,
}

impl CellRow {
    fn of(id: &CellId) -> Self {
        Self {
            month: id.month,
            advocate_person_id: id.advocate.clone(),
            agent_user_id: id.agent.clone(),
            channel: id.channel,
        }
    }
}

const VERSION: &str = "version";

/// By attribute; what is nought is left out.
fn numbers(figures: &Figures) -> Vec<(String, i128)> {
    let counts = figures.counts().into_iter().map(|(name, count)| (name.to_owned(), i128::from(count)));
    let amounts = figures.amounts().into_iter().flat_map(|(name, amounts)| {
        amounts.iter().map(move |(currency, minor)| (format!("{name}{currency}"), minor)).collect::<Vec<_>>()
    });
    counts.chain(amounts).filter(|(_, number)| *number != 0).collect()
}

fn number(value: i128) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn cell(operation: &'static str, mut item: Attributes) -> Result<Cell, StoreError> {
    let (mut figures, mut version) = (Figures::default(), 0);
    for (name, value) in &item {
        let AttributeValue::N(text) = value else { continue };
        let number: i128 = text.parse().map_err(|_| unreadable_row(operation))?;
        let too_large = |_| unreadable_row(operation);
        if name == VERSION {
            version = u64::try_from(number).map_err(too_large)?;
        } else if let Some(count) = figures.count_mut(name) {
            *count = i64::try_from(number).map_err(too_large)?;
        } else {
            // A currency's code has three letters.
            let (name, code) = name.split_at_checked(name.len().saturating_sub(3)).unwrap_or_default();
            let currency = Currency::parse(code).map_err(|_| unreadable_row(operation))?;
            figures.amounts_mut(name).ok_or_else(|| unreadable_row(operation))?.add(&currency, number);
        }
    }
    item.retain(|_, value| !matches!(value, AttributeValue::N(_)));
    let row: CellRow = from_item(operation, item)?;
    let id =
        CellId { month: row.month, advocate: row.advocate_person_id, agent: row.agent_user_id, channel: row.channel };
    Ok(Cell { id, figures, version })
}

impl Ledger {
    /// Replaces rows whose stored versions are one less than their own, and moves their cells.
    pub(super) fn replace_referrals<'a, N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        revised: impl IntoIterator<Item = &'a Revised>,
    ) -> Result<(), StoreError> {
        // Two of the rows may be of one cell, and a transaction takes an item once.
        let mut moves: BTreeMap<CellId, Figures> = BTreeMap::new();
        for Revised { row, cell, counted } in revised {
            let item = to_item(row, &keys::referral_row(scope, row))?;
            self.replace(transaction, name, item, row.version)?;
            moves.entry(cell.clone()).or_default().subtract(counted);
            moves.entry(CellId::of(row)).or_default().add(&Figures::of(row));
        }
        moves.iter().try_for_each(|(cell, figures)| self.move_cell(transaction, name, scope, cell, figures))
    }

    /// A referral that was not there counts from now on.
    pub(super) fn count_in<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        row: &Referral,
    ) -> Result<(), StoreError> {
        self.move_cell(transaction, name, scope, &CellId::of(row), &Figures::of(row))
    }

    /// A referral that goes does not count any more.
    pub(super) fn count_out<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        row: &Referral,
    ) -> Result<(), StoreError> {
        let mut less = Figures::default();
        less.subtract(&Figures::of(row));
        self.move_cell(transaction, name, scope, &CellId::of(row), &less)
    }

    fn move_cell<N: Copy + PartialEq>(
        &self,
        transaction: &mut Transaction<N>,
        name: N,
        scope: &OrgScope,
        cell: &CellId,
        by: &Figures,
    ) -> Result<(), StoreError> {
        if by.is_nothing() {
            return Ok(());
        }
        let keys = keys::attribution_cell(scope, cell);
        let is_part_of_key = |name: &String| name == keys::PK || name == keys::SK;
        let constants = to_item(&CellRow::of(cell), &keys)?.into_iter().filter(|(name, _)| !is_part_of_key(name));
        let amounts = numbers(by).into_iter().chain([(VERSION.to_owned(), 1)]);
        transaction.add(name, &self.table, &keys, constants, amounts.map(|(name, amount)| (name, number(amount))))
    }
}

impl AttributionReader for Ledger {
    async fn cells_between(&self, scope: &OrgScope, first: Month, last: Month) -> Result<Vec<Cell>, StoreError> {
        let operation = "reading the attribution";
        let listing = keys::attribution(scope);
        let (mut cells, mut start) = (Vec::new(), None);
        loop {
            let output = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(keys::LIST_INDEX)
                .key_condition_expression("listPk = :pk AND listSk BETWEEN :first AND :last")
                .expression_attribute_values(":pk", AttributeValue::S(listing.partition.clone()))
                .expression_attribute_values(":first", AttributeValue::S(first.to_string()))
                // `~` stands behind every character of a key.
                .expression_attribute_values(":last", AttributeValue::S(format!("{last}~")))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| store_error(operation, &error))?;
            for item in output.items.unwrap_or_default() {
                cells.push(cell(operation, item)?);
            }
            start = output.last_evaluated_key;
            if start.is_none() {
                return Ok(cells);
            }
        }
    }
}

impl AttributionKeeper for Ledger {
    async fn cells_of(&self, scope: &OrgScope, advocate: &PersonId) -> Result<Vec<Cell>, StoreError> {
        let (operation, partition) = ("reading an advocate's figures", keys::person_partition(scope, advocate));
        let items = self.items_under(operation, partition, keys::ATTRIBUTION).await?;
        items.into_iter().map(|item| cell(operation, item)).collect()
    }

    async fn correct_cell(
        &self,
        scope: &OrgScope,
        correction: &CellCorrection,
    ) -> Result<CorrectionOutcome, StoreError> {
        let CellCorrection { id, read, figures } = correction;
        let mut item = to_item(&CellRow::of(id), &keys::attribution_cell(scope, id))?;
        item.extend(numbers(figures).into_iter().map(|(name, amount)| (name, number(amount))));
        let version = read.unwrap_or(0).saturating_add(1);
        item.insert(VERSION.to_owned(), AttributeValue::N(version.to_string()));
        let mut transaction = Transaction::default();
        match read {
            Some(_) => self.replace(&mut transaction, (), item, version)?,
            None => transaction.create((), &self.table, item)?,
        }
        Ok(match transaction.commit(&self.client).await? {
            Committed::Done => CorrectionOutcome::Corrected,
            Committed::Refused(_) => CorrectionOutcome::Moved,
        })
    }
}
