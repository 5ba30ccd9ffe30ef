//! A batch of events, each of a chunk that waits.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use referrals::{
    events::{Detail, EventData as _, ImportChunkReadyV1, SOURCE},
    queue::{self, Failure, Outcome},
    store::{Directory, Ledger},
    system::{RandomIds, SystemClock, has_time},
    usecase::import_chunk::{ChunkWork, Worked},
};

/// No row is begun with less time left than this: one may take six seconds of attempts and the last of them seven more, and
/// then the report is still to be written.
const ENOUGH: Duration = Duration::from_secs(22);

#[derive(Debug)]
pub struct App {
    pub ledger: Ledger,
    pub directory: Directory,
    /// Rows that this process writes in a second at most; nought for as many as there can be.
    pub rows_per_second: u32,
}

pub async fn handle(app: &App, batch: &SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    queue::consume(batch, deadline, |message| work(app, message.clone(), deadline)).await
}

async fn work(app: &App, message: SqsMessage, deadline: SystemTime) -> Result<Outcome, Failure> {
    let message = queue::read(&message)?;
    if message.source != SOURCE || message.detail_type != ImportChunkReadyV1::DETAIL_TYPE {
        return Err(Failure::Reject("the event is not for this queue".to_owned()));
    }
    let event: Detail<ImportChunkReadyV1> = Detail::parse(message.detail.get())?;
    let (import, chunk) = (&event.data.import_id, event.data.chunk);
    tracing::info!(event.id = %event.metadata.id, import.id = %import, import.chunk = chunk, "a chunk is ready");
    let work = ChunkWork {
        store: &app.ledger,
        directory: &app.directory,
        clock: &SystemClock,
        ids: &RandomIds,
        rows_per_second: app.rows_per_second,
    };
    match work.work_through(&event, || has_time(deadline, ENOUGH)).await? {
        Worked::Done(counts) => {
            tracing::info!(
                import.id = %import,
                import.chunk = chunk,
                import.created = counts.created,
                import.unchanged = counts.unchanged,
                import.failed = counts.failed,
                "a chunk is done"
            );
            Ok(Outcome::Done)
        }
        Worked::AlreadyDone => Ok(Outcome::AlreadyDone),
        Worked::Ignored(reason) => Ok(Outcome::Ignored(reason)),
        Worked::Missing => Err(Failure::Reject("there is no such chunk, and no report of it".to_owned())),
        Worked::OutOfTime => Err(Failure::Retry("no time was left for the whole chunk".to_owned())),
    }
}

#[cfg(test)]
mod tests;
