//! `cartwright trace`

use std::{
    io::IsTerminal,
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use clap::Args;
use trace_store::{Found, TraceId};
use types::OrderId;

use crate::{
    failure::Failure,
    input,
    output::{Format, Output},
    trace::{Look, Question, Store, draw},
};

/// Processes send what they have once a second.
const QUIET: Duration = Duration::from_millis(2_500);
const LOOK_EVERY: Duration = Duration::from_millis(250);

const WIDTH_DEFAULT: usize = 100;

#[derive(Debug, Args)]
pub struct Trace {
    /// The order whose trace is drawn.
    #[arg(
        value_name = "ORDER",
        required_unless_present = "trace_id",
        conflicts_with = "trace_id"
    )]
    order_id: Option<OrderId>,
    /// A trace instead, as the log and the list of who did what name it.
    #[arg(long, value_name = "ID")]
    trace_id: Option<TraceId>,
    /// Where the trace store is.
    #[arg(
        long,
        env = "CARTWRIGHT_TRACES_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:4318"
    )]
    url: String,
    /// Draw each span, also long runs of equal ones.
    #[arg(long)]
    all: bool,
    /// Draw only calls and messages: no statements, no work inside of a process.
    #[arg(long)]
    short: bool,
    /// Draw only so many levels.
    #[arg(long, value_name = "LEVELS")]
    depth: Option<NonZeroUsize>,
    /// Wait until the trace is there and nothing more comes, up to this long.
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    wait: Option<Duration>,
}

impl Trace {
    fn question(&self) -> Result<Question, Failure> {
        match (self.order_id, self.trace_id) {
            (Some(id), _) => Ok(Question::Order(id)),
            (None, Some(id)) => Ok(Question::Trace(id)),
            (None, None) => Err(Failure::BadInput("expected an order or a trace".to_owned())),
        }
    }

    fn look(&self) -> Look {
        let stdout = std::io::stdout().is_terminal();
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Look {
            width: width(),
            colours: stdout && colours,
            folds: !self.all,
            short: self.short,
            depth: self.depth.map(NonZeroUsize::get),
        }
    }
}

/// # Errors
/// When the store cannot be reached, or has no such trace.
pub async fn run(args: &Trace, timeout: Duration, output: Output) -> Result<(), Failure> {
    let question = args.question()?;
    let store = Store::at(&args.url, timeout)?;
    let found = match args.wait {
        Some(patience) => settled(&store, question, patience).await?,
        None => store.ask(question).await?,
    };
    if found.spans.is_empty() {
        return Err(store.has_none(question));
    }
    match output.format {
        Format::Json => output.json(&serde_json::to_value(&found).map_err(std::io::Error::from)?),
        Format::Table => output.text(&draw(&found, args.look())),
    }
}

/// What is there when nothing has come for a while, or when the time is over.
async fn settled(store: &Store, question: Question, patience: Duration) -> Result<Found, Failure> {
    let deadline = Instant::now() + patience;
    let (mut seen, mut since) = (0, Instant::now());
    loop {
        let found = store.ask(question).await?;
        if found.spans.len() != seen {
            (seen, since) = (found.spans.len(), Instant::now());
        }
        let is_whole = seen > 0 && found.orphans == 0 && since.elapsed() >= QUIET;
        if is_whole || Instant::now() >= deadline {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Of the terminal, or what COLUMNS says, as where there is none.
fn width() -> usize {
    let told = std::env::var("COLUMNS").ok();
    let told = told.and_then(|columns| columns.parse::<usize>().ok());
    let terminal = || {
        let (_, columns) = console::Term::stdout().size_checked()?;
        Some(usize::from(columns))
    };
    told.or_else(terminal).unwrap_or(WIDTH_DEFAULT)
}
