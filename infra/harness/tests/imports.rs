//! Two files are imported at once by two workers, which are killed (SIGKILL) between any two of their calls, while forms about
//! the same advocates come in. No row is lost, none is there twice, every form is taken at once, and a second import of both
//! files writes nothing.
//!
//! `IMPORT_ROWS=10000 KILLS=20` is the long form (the short one: 300 and 5), `KILLS_SEED` chooses where.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::domain::import::RowCounts;
use referrals_harness::{Answer, FileRow, Name, Stage, UploadedFile, World, violations};
use referrals_testing::{batch, setting};
use serde_json::Value;

/// As in the template.
const WORKERS: usize = 2;
/// Rows of one advocate.
const OF_EACH: usize = 25;
/// Calls that a chunk makes before its first row: the chunk, its import, organization, members, policy, what is known.
const READS: usize = 6;

/// A chunk in the queue.
struct Message {
    event: Value,
    rows: usize,
    /// Where its next deliveries are killed.
    kills: VecDeque<(usize, Stage)>,
    receives: usize,
}

#[derive(Default)]
struct Work {
    waiting: Mutex<VecDeque<Message>>,
    in_flight: AtomicUsize,
    is_over: AtomicBool,
    killed: AtomicUsize,
}

impl Work {
    /// The chunks of the files, in turn.
    fn of(files: &[UploadedFile]) -> Self {
        let work = Self::default();
        let most = files.iter().map(|file| file.upload.import.chunks).max().unwrap();
        for chunk in 1..=most {
            for file in files.iter().filter(|file| chunk <= file.upload.import.chunks) {
                let rows = usize::try_from(file.upload.import.rows / file.upload.import.chunks).unwrap();
                let event = serde_json::to_value(batch(&[file.envelope(chunk).to_string()])).unwrap();
                work.waiting.lock().unwrap().push_back(Message { event, rows, kills: VecDeque::new(), receives: 0 });
            }
        }
        work
    }

    /// Spreads the kills over the chunks; some are killed again when they are delivered again.
    fn plan(&self, kills: usize, random: &mut fastrand::Rng) {
        let mut waiting = self.waiting.lock().unwrap();
        assert!(kills <= waiting.len(), "a chunk for each kill");
        let mut places: Vec<usize> = (0..waiting.len()).collect();
        random.shuffle(&mut places);
        let stage = |random: &mut fastrand::Rng| {
            if random.bool() { Stage::BeforeForwarding } else { Stage::AfterForwarding }
        };
        for (number, place) in places.into_iter().take(kills).enumerate() {
            let message = &mut waiting[place];
            message.kills.push_back((random.usize(0..READS + message.rows), stage(random)));
            if number.is_multiple_of(3) {
                // Whatever was done before, the reads are made again.
                message.kills.push_back((random.usize(0..READS), stage(random)));
            }
        }
    }

    fn take(&self) -> Option<Message> {
        let mut waiting = self.waiting.lock().unwrap();
        let message = waiting.pop_front()?;
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        Some(message)
    }
}

/// One worker, until there is nothing left to do.
async fn work_through(work: Arc<Work>, mut function: referrals_harness::Function, proxy: referrals_harness::Proxy) {
    loop {
        let Some(mut message) = work.take() else {
            if work.in_flight.load(Ordering::SeqCst) == 0 {
                work.is_over.store(true, Ordering::SeqCst);
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        message.receives += 1;
        assert!(message.receives <= 5, "it would be a dead letter");
        proxy.reset(None);
        if let Some((call, stage)) = message.kills.pop_front() {
            function.chill();
            proxy.trap(call, stage, function.killer());
        }
        let answer = function.invoke(&message.event, Name::ImportWorker.timeout()).await;
        let is_killed = proxy.has_sprung();
        work.killed.fetch_add(usize::from(is_killed), Ordering::SeqCst);
        let is_done = match &answer {
            Answer::Response(response) => response["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
            _ => false,
        };
        assert!(is_done != is_killed, "{answer:?}");
        if !is_done {
            work.waiting.lock().unwrap().push_back(message);
        }
        work.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Starts the workers.
async fn start(world: &World, work: &Arc<Work>) -> tokio::task::JoinSet<()> {
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..WORKERS {
        let (function, proxy) = world.another(Name::ImportWorker).await;
        workers.spawn(work_through(work.clone(), function, proxy));
    }
    workers
}

async fn settle(world: &mut World) {
    // Each attempt brings more leads into the pipeline than it has rounds for.
    for _ in 0..20 {
        if world.settle().await.is_ok() {
            return;
        }
    }
    world.settle().await.unwrap();
}

/// Everything but the imports' own rows.
async fn ledger(world: &World) -> BTreeMap<String, HashMap<String, AttributeValue>> {
    let items = world.store.items().await.into_iter().chain(world.store.outbox_items().await);
    let others = items.filter(|item| !item.text("pk").contains("#IMPORT#"));
    others.map(|item| (format!("{} {}", item.text("pk"), item.text("sk")), item.0)).collect()
}

async fn counts(world: &World, files: &[UploadedFile]) -> RowCounts {
    let mut sum = RowCounts::default();
    for file in files {
        let counts = file.upload.now(&world.store).await.counts;
        sum.created += counts.created;
        sum.unchanged += counts.unchanged;
        sum.failed += counts.failed;
    }
    sum
}

async fn upload(world: &mut World, halves: [&[FileRow]; 2], chunk_rows: usize) -> Vec<UploadedFile> {
    let mut files = Vec::new();
    for half in halves {
        files.push(world.upload(half, chunk_rows).await);
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_worker_loses_no_row_and_doubles_none() {
    let (rows, kills) = (setting("IMPORT_ROWS").unwrap_or(300), setting("KILLS").unwrap_or(5));
    let seed = setting("KILLS_SEED").unwrap_or(1);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::start().await;
    let history = world.history(rows, OF_EACH);
    let halves = history.split_at(rows / 2);
    let chunk_rows = if rows < 2_000 { OF_EACH } else { usize::MAX };
    let files = upload(&mut world, [halves.0, halves.1], chunk_rows).await;

    let work = Arc::new(Work::of(&files));
    work.plan(kills, &mut random);
    let chunks = work.waiting.lock().unwrap().len();
    let begun = Instant::now();
    let workers = start(&world, &work).await;
    // The whole time, and not so many that the rest of the way is what is tested.
    let pause = Duration::from_millis(u64::try_from(rows / 50).unwrap());
    let (mut forms, mut slowest) = (0, Duration::ZERO);
    while !work.is_over.load(Ordering::SeqCst) && forms < 1_000 {
        let form = world.fill_in_of(&history[random.usize(0..history.len())]);
        let asked = Instant::now();
        let posted = world.post(&form).await;
        slowest = slowest.max(asked.elapsed());
        assert_eq!(posted.status, 201, "{posted:?}");
        forms += 1;
        tokio::time::sleep(pause).await;
    }
    workers.join_all().await;
    let took = begun.elapsed();
    let killed = work.killed.load(Ordering::SeqCst);
    println!(
        "imports: seed {seed}, {rows} rows in {chunks} chunks, {killed} kills, {:.1} s; {forms} forms meanwhile, the \
         slowest {} ms",
        took.as_secs_f64(),
        slowest.as_millis()
    );
    assert!(killed >= kills && forms > 0);
    settle(&mut world).await;
    let all = u32::try_from(rows).unwrap();
    assert_eq!(counts(&world, &files).await, RowCounts { created: all, unchanged: 0, failed: 0 });
    assert_eq!(violations(&world).await, Vec::<String>::new());

    let before = ledger(&world).await;
    let again = upload(&mut world, [halves.0, halves.1], chunk_rows).await;
    let begun = Instant::now();
    let work = Arc::new(Work::of(&again));
    start(&world, &work).await.join_all().await;
    println!("imports: and again, {:.1} s", begun.elapsed().as_secs_f64());
    assert_eq!(counts(&world, &again).await, RowCounts { created: 0, unchanged: all, failed: 0 });
    assert!(ledger(&world).await == before, "a second import wrote something");
    assert_eq!(violations(&world).await, Vec::<String>::new());
}
