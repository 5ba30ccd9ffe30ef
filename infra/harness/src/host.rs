//! Runs a function's real binary as Lambda does: one invocation at a time, in an environment of its own, started again
//! when it is gone.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, atomic::Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use crate::{
    Measured, Proxy, Row, Start, Usage, binary,
    runtime_api::{Invocation, RuntimeApi},
    usage,
};

/// How often a process is looked at while its answer is awaited.
const LOOK: Duration = Duration::from_millis(5);

/// How long a process may take to ask for work.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Response(Value),
    /// The handler, or the start of the process, failed.
    Error(Value),
    /// The process ended before it answered.
    Died,
    /// The process was ended, because its time was over.
    TimedOut,
}

type Running = Arc<Mutex<Option<Child>>>;

/// One function with at most one process.
#[derive(Debug)]
pub struct Function {
    name: &'static str,
    binary: PathBuf,
    environment: Vec<(&'static str, String)>,
    running: Running,
    api: Option<RuntimeApi>,
    /// A file and no pipe: what a process wrote before it answered is there when the answer is.
    log: File,
    invocations: u64,
    /// A line that nobody else uses lives as long as the function.
    line: Option<Proxy>,
}

impl Drop for Function {
    fn drop(&mut self) {
        end(&self.running);
    }
}

impl Function {
    /// Starts nothing yet. `environment` is all that the process will see besides Lambda's own variables.
    #[must_use]
    pub fn new(name: &'static str, environment: Vec<(&'static str, String)>) -> Self {
        Self {
            name,
            binary: binary::find(name),
            environment,
            running: Running::default(),
            api: None,
            log: tempfile::tempfile().expect("a file for the log"),
            invocations: 0,
            line: None,
        }
    }

    /// Keeps its line for as long as it lives.
    pub fn keep(&mut self, line: Proxy) {
        self.line = Some(line);
    }

    /// What its process has used so far. It has to be there.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        usage::processor_time(self.process())
    }

    /// Everything that its processes have written to standard output and standard error.
    #[must_use]
    pub fn log(&self) -> String {
        let mut log = vec![0; usize::try_from(self.log.metadata().expect("its size").len()).unwrap()];
        // Not by reading on: the processes write where this file's cursor is.
        self.log.read_exact_at(&mut log, 0).expect("the log is read");
        String::from_utf8_lossy(&log).into_owned()
    }

    #[must_use]
    pub fn invocations(&self) -> u64 {
        self.invocations
    }

    /// Ends the process, if there is one: the next invocation is a cold start.
    pub fn chill(&mut self) {
        end(&self.running);
        self.api = None;
    }

    /// Ends, with SIGKILL, whatever process the function has at the moment of the call. False when there is none.
    pub fn killer(&self) -> impl Fn() -> bool + Send + Sync + use<> {
        let running = self.running.clone();
        move || end(&running)
    }

    /// Hands the event over and waits for what comes of it.
    pub async fn invoke(&mut self, event: &Value, timeout: Duration) -> Answer {
        if self.is_gone() {
            self.start().await;
        }
        self.invocations += 1;
        let id = format!("{}-{}", self.name, self.invocations);
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970") + timeout;
        let api = self.api.as_mut().expect("a process that was started");
        let invocation = Invocation { id: id.clone(), deadline: deadline.as_millis(), event: event.to_string() };
        api.invocations.send(invocation).expect("the Runtime API runs");
        let over = tokio::time::sleep(timeout);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                Some((of, answer)) = api.answers.recv() => {
                    if of.is_empty() || of == id {
                        return answer;
                    }
                }
                () = &mut over => {
                    self.chill();
                    return Answer::TimedOut;
                }
                () = tokio::time::sleep(LOOK) => {
                    if has_ended(&self.running) {
                        // What it said last may have come in the same moment.
                        let last = api.answers.try_recv().ok().filter(|(of, _)| of.is_empty() || *of == id);
                        self.chill();
                        return last.map_or(Answer::Died, |(_, answer)| answer);
                    }
                }
            }
        }
    }

    /// The same, and what it used. A process that was not there is started first, and measured until it asks for work.
    pub async fn invoke_measured(&mut self, event: &Value, timeout: Duration) -> (Answer, Measured) {
        let start = if self.is_gone() { Some(self.start_measured().await) } else { None };
        let process = self.process();
        let before = usage::processor_time(process);
        let begun = Instant::now();
        let answer = self.invoke(event, timeout).await;
        let wall = begun.elapsed();
        // What it does after the answer, until it asks for more, is paid for too.
        self.asks_for_work().await;
        let used = Usage { processor: usage::processor_time(process).saturating_sub(before), wall };
        (answer, Measured { start, used, peak_memory_kib: usage::peak_memory_kib(process) })
    }

    /// One event after the other without a pause, by a process that is there, and what they used.
    pub async fn invoke_in_a_row(&mut self, events: &[Value], timeout: Duration) -> (Vec<Answer>, Row) {
        let process = self.process();
        let before = usage::processor_time(process);
        let (mut answers, mut walls) = (Vec::new(), Vec::new());
        for event in events {
            let begun = Instant::now();
            answers.push(self.invoke(event, timeout).await);
            walls.push(begun.elapsed());
        }
        self.asks_for_work().await;
        let processor = usage::processor_time(process).saturating_sub(before);
        (answers, Row { processor, walls, peak_memory_kib: usage::peak_memory_kib(process) })
    }

    /// From the start of the process to its first question for work.
    async fn start_measured(&mut self) -> Start {
        let begun = Instant::now();
        self.start().await;
        self.asks_for_work().await;
        Start { processor: usage::processor_time(self.process()), wall: begun.elapsed() }
    }

    /// Waits until the process has asked for one invocation more than it got, and rests.
    async fn asks_for_work(&mut self) {
        let api = self.api.as_mut().expect("a process that was started");
        let wanted = api.handed_out.load(Ordering::Relaxed) + 1;
        let asked = api.polls.wait_for(|polls| *polls >= wanted);
        tokio::time::timeout(PATIENCE, asked).await.expect("the process asks for work").expect("the Runtime API runs");
        tokio::time::timeout(PATIENCE, usage::rests(self.process())).await.expect("the process comes to rest");
    }

    fn process(&self) -> u32 {
        self.running.lock().unwrap().as_ref().expect("a process that was started").id()
    }

    fn is_gone(&self) -> bool {
        self.api.is_none() || has_ended(&self.running)
    }

    async fn start(&mut self) {
        self.chill();
        let api = RuntimeApi::start().await;
        let child = Command::new(&self.binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.server.address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", self.name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", self.name)
            .env("AWS_LAMBDA_LOG_STREAM_NAME", "test")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(self.log.try_clone().expect("the file again"))
            .stderr(self.log.try_clone().expect("the file again"))
            .spawn()
            .expect("the binary starts");
        *self.running.lock().unwrap() = Some(child);
        self.api = Some(api);
    }
}

fn has_ended(running: &Running) -> bool {
    running.lock().unwrap().as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
}

/// False when there is none.
fn end(running: &Running) -> bool {
    let Some(mut child) = running.lock().unwrap().take() else { return false };
    // Fails when it has ended by itself.
    drop(child.kill());
    child.wait().expect("a process that was started can be waited for");
    true
}
