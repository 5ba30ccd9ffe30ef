//! The engine as a process of its own, whose tables outlive it: `referrals-engine <file> <port>`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (file, port) = (arguments.next().ok_or("which file?")?, arguments.next().ok_or("which port?")?);
    referrals_testing::serve_file(&file, port.parse()?).await
}
