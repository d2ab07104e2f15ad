//! `cartwright stock …`

mod import;
mod level;
mod location;
mod view;
mod watch;

use clap::Subcommand;

use crate::{failure::Failure, output::Output, shop::Shop};

pub use import::read_file;
pub use level::fetch;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show an item and its levels.
    Get(level::Get),
    /// List levels by SKU and location.
    List(level::List),
    /// Set the stock on hand, for example after a count.
    Set(level::Set),
    /// Change the stock on hand by a signed quantity.
    Adjust(level::Adjust),
    /// Follow goods as they come and go; a lost connection is taken up again.
    Watch(watch::Watch),
    /// Create or change items and set their stock from a CSV file with the
    /// columns sku,title,price,currency,on_hand[,location,tracked].
    Import(import::Import),
    /// List locations, or create or change one.
    Location(location::Location),
}

pub async fn run(command: Command, shop: &Shop, output: Output) -> Result<(), Failure> {
    match command {
        Command::Get(args) => level::get(&args, shop, output).await,
        Command::List(args) => level::list(&args, shop, output).await,
        Command::Set(args) => level::set(&args, shop, output).await,
        Command::Adjust(args) => level::adjust(&args, shop, output).await,
        Command::Watch(args) => watch::run(&args, shop, output).await,
        Command::Import(args) => import::run(&args, shop, output).await,
        Command::Location(args) => location::run(&args, shop, output).await,
    }
}
