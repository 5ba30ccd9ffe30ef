//! A report as CSV: a line for each row, and for each sum of money a column for each currency that there is.

use std::collections::BTreeSet;

use referrals::{
    domain::{
        attribution::{Figures, Grouping},
        money::Currency,
        spreadsheet::guarded,
    },
    http::{Code, Problem},
    usecase::report_attribution::Group,
};

/// Names of the columns that say whose figures they are.
fn group_columns(grouping: Grouping) -> &'static [&'static str] {
    match grouping {
        Grouping::Advocate => &["advocatePersonId", "advocateName"],
        Grouping::Agent => &["agentUserId", "agentName"],
        Grouping::Channel => &["channel"],
        Grouping::Month => &["month"],
    }
}

fn group_cells(group: &Group) -> Vec<String> {
    let name = |name: &Option<referrals::domain::text::PersonName>| {
        name.as_ref().map(|name| name.as_str().to_owned()).unwrap_or_default()
    };
    match group {
        Group::Advocate(id, own) => vec![id.to_string(), name(own)],
        Group::Agent(id, own) => vec![id.to_string(), name(own)],
        Group::Channel(channel) => vec![channel.as_str().to_owned()],
        Group::Month(month) => vec![month.to_string()],
    }
}

/// The figures by the names of their columns, in order. `currencies` are those that any of the report's sums has.
fn figures_cells(figures: &Figures, currencies: &[BTreeSet<&Currency>; 4]) -> Vec<(String, String)> {
    let rate = figures.conversion_rate().map(|rate| format!("{}.{:04}", rate / 10_000, rate % 10_000));
    let mut cells: Vec<(String, String)> =
        figures.counts().into_iter().map(|(name, count)| (name.to_owned(), count.to_string())).collect();
    cells.push(("open".to_owned(), figures.open().to_string()));
    cells.push(("conversionRate".to_owned(), rate.unwrap_or_default()));
    for ((name, amounts), currencies) in figures.amounts().into_iter().zip(currencies) {
        for currency in currencies {
            let sum = amounts.iter().find(|(own, _)| own == currency).map_or(0, |(_, minor)| minor);
            cells.push((format!("{name}Minor{currency}"), sum.to_string()));
        }
    }
    cells
}

/// # Errors
/// None that writing to memory could have.
pub fn write(grouping: Grouping, rows: &[(Group, Figures)]) -> Result<Vec<u8>, Problem> {
    let mut currencies: [BTreeSet<&Currency>; 4] = Default::default();
    for (_, figures) in rows {
        for ((_, amounts), known) in figures.amounts().into_iter().zip(&mut currencies) {
            known.extend(amounts.iter().map(|(currency, _)| currency));
        }
    }
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let columns = figures_cells(&Figures::default(), &currencies).into_iter().map(|(name, _)| name);
    let header = group_columns(grouping).iter().map(|name| (*name).to_owned()).chain(columns);
    writer.write_record(header).map_err(|_| Code::Internal)?;
    for (group, figures) in rows {
        let cells = figures_cells(figures, &currencies).into_iter().map(|(_, cell)| cell);
        let cells = group_cells(group).into_iter().map(|cell| guarded(&cell).into_owned()).chain(cells);
        writer.write_record(cells).map_err(|_| Code::Internal)?;
    }
    writer.into_inner().map_err(|_| Code::Internal.into())
}
