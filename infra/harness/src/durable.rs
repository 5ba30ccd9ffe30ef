//! An engine that can be killed and started again, as a machine under the tables would.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub struct DurableEngine {
    binary: PathBuf,
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Drop for DurableEngine {
    fn drop(&mut self) {
        self.end();
    }
}

impl DurableEngine {
    /// `binary` is `referrals-engine`.
    pub async fn start(binary: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let folder = tempfile::tempdir().expect("a folder");
        let process = spawn(&binary, &folder, port);
        let engine = Self { binary, folder, port, process };
        engine.listens().await;
        engine
    }

    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it with SIGKILL, and starts it again after a while.
    pub async fn restart(&mut self, after: Duration) {
        self.end();
        tokio::time::sleep(after).await;
        self.process = spawn(&self.binary, &self.folder, self.port);
        self.listens().await;
    }

    fn end(&mut self) {
        // Fails when it has ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }

    async fn listens(&self) {
        let look = async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.expect("the engine listens");
    }
}

fn spawn(binary: &PathBuf, folder: &TempDir, port: u16) -> Child {
    let file = folder.path().join("tables.sqlite");
    let mut command = Command::new(binary);
    command.arg(file).arg(port.to_string()).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().expect("the engine starts")
}
