//! `cartwright stock import`

use std::path::PathBuf;

use clap::Args;
use sha2::{Digest, Sha256};

use crate::{
    command::progress,
    failure::Failure,
    import, input,
    output::{Format, Output},
    shop::Shop,
};

const WRONG_SHOWN_MAX: usize = 20;

#[derive(Debug, Args)]
pub struct Import {
    /// The CSV file.
    file: PathBuf,
    /// How many calls run at once.
    #[arg(long, default_value_t = 16)]
    concurrency: usize,
    /// What the keys begin with under which the parts of the file are sent;
    /// another one sets the stock anew [default: made of the content of the
    /// file, so that the same file again changes nothing].
    #[arg(long, value_name = "KEY", value_parser = input::key)]
    idempotency_key: Option<String>,
}

pub async fn run(args: &Import, shop: &Shop, output: Output) -> Result<(), Failure> {
    let content = read_file(&args.file)?;
    let catalogue = import::parse(&content).map_err(|wrong| refuse(&args.file, &wrong))?;
    let digest = hex::encode(&Sha256::digest(&content)[..8]);
    let key = args.idempotency_key.clone();
    let key = key.unwrap_or_else(|| format!("import:{digest}"));
    let (items, levels) = (catalogue.items.len(), catalogue.stock.len());
    shop.reach_inventory().await?;
    let bar = progress::bar("importing", items + levels);
    import::send::send(&catalogue, &key, args.concurrency, shop, &bar).await?;
    bar.finish_and_clear();
    match output.format {
        Format::Json => output.json(&serde_json::json!({ "items": items, "levels": levels })),
        Format::Table => output.text(&format!("{items} items, {levels} levels")),
    }
}

pub fn read_file(file: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| {
        let file = file.display();
        Failure::BadInput(format!("cannot read {file}: {error}"))
    })
}

fn refuse(file: &std::path::Path, wrong: &[import::parse::Wrong]) -> Failure {
    let file = file.display();
    let mut text = format!(
        "{file} is wrong in {} places, nothing was sent:",
        wrong.len()
    );
    for wrong in wrong.iter().take(WRONG_SHOWN_MAX) {
        text.push_str(&format!("\n  {wrong}"));
    }
    if wrong.len() > WRONG_SHOWN_MAX {
        text.push_str("\n  …");
    }
    Failure::BadInput(text)
}
