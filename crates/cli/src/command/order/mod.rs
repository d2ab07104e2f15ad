//! `cartwright order …`

mod change;
mod create;
mod read;
mod reconcile;
pub mod view;
mod watch;

use clap::Subcommand;

use crate::{failure::Failure, output::Output, shop::Shop};

pub use read::fetch;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Place an order and tell what became of it.
    Create(create::Create),
    /// Show an order.
    Get(read::Get),
    /// List orders, newest first.
    List(read::List),
    /// Cancel an order that has not shipped; money and stock go back.
    Cancel(change::Cancel),
    /// Ship all or a part of an order.
    Fulfil(change::Fulfil),
    /// Announce and receive goods that come back; they are paid back.
    Return(change::Return),
    /// Receive a return that was only announced.
    Receive(change::Receive),
    /// Give money back without goods.
    Refund(change::Refund),
    /// Follow the events of an order; a lost connection is taken up again.
    Watch(watch::Watch),
    /// Tell the story of an order.
    Timeline(read::Timeline),
    /// After a restore, and after `payment reconcile`: compare orders with their
    /// payments; money that no order wants goes back. May be repeated.
    Reconcile(reconcile::Reconcile),
}

pub async fn run(command: Command, shop: &Shop, output: Output) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create::run(&args, shop, output).await,
        Command::Get(args) => read::get(&args, shop, output).await,
        Command::List(args) => read::list(&args, shop, output).await,
        Command::Cancel(args) => change::cancel(&args, shop, output).await,
        Command::Fulfil(args) => change::fulfil(&args, shop, output).await,
        Command::Return(args) => change::give_back(&args, shop, output).await,
        Command::Receive(args) => change::receive(&args, shop, output).await,
        Command::Refund(args) => change::refund(&args, shop, output).await,
        Command::Watch(args) => watch::run(&args, shop, output).await,
        Command::Timeline(args) => read::timeline(&args, shop, output).await,
        Command::Reconcile(args) => reconcile::run(&args, shop, output).await,
    }
}
