//! referrals-admin: what an operator does with their own credentials. Needs `TABLE_NAME` and the usual AWS variables.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use referrals::{
    aws,
    domain::id::{OrgId, UserId},
    ports::Clock as _,
    settings,
    store::{Directory, Provision},
    system::SystemClock,
};

#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Puts the records of a JSON file in place. Records that are there already stay as they are.
    Load { file: PathBuf },
    /// Lets a subject of the identity provider sign in as a member.
    LinkLogin {
        /// The `sub` of the identity provider.
        #[arg(long)]
        subject: String,
        #[arg(long, value_parser = OrgId::parse)]
        organization: OrgId,
        #[arg(long, value_parser = UserId::parse)]
        user: UserId,
    },
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "a command tells its user what it did")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let sdk = aws::sdk_config(&settings::AwsSettings::from_environment()?);
    let table = settings::required("TABLE_NAME")?;
    let directory = Directory::new(aws_sdk_dynamodb::Client::new(&sdk), table);
    match arguments.command {
        Command::Load { file } => {
            let json = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
            let records: Provision = serde_json::from_str(&json).with_context(|| format!("in {}", file.display()))?;
            let done = directory.provision(&records, SystemClock.now()).await?;
            println!("{} records created, {} were there already", done.created, done.present);
        }
        Command::LinkLogin { subject, organization, user } => {
            directory.link_login(&subject, &organization, &user).await?;
            println!("{user} of {organization} can sign in");
        }
    }
    Ok(())
}
