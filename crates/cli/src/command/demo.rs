//! `cartwright demo`: four short stories with items of its own, so that it can
//! be told again and again on any shop.

mod catalogue;
mod story;

use clap::Args;
use serde_json::Value as Json;

use super::timeline;
use crate::{
    failure::Failure,
    json,
    output::{Format, Output},
    shop::Shop,
};
use story::{STORIES, Story};

#[derive(Debug, Args)]
pub struct Demo {}

pub async fn run(_args: &Demo, shop: &Shop, output: Output) -> Result<(), Failure> {
    catalogue::prepare(shop).await?;
    let mut told = Vec::new();
    let mut wrong = Vec::new();
    let mut first = None;
    for story in STORIES {
        let end = story.play(shop).await?;
        let order = end.timeline.order.as_ref();
        first = first.or_else(|| order.map(|order| order.id.clone()));
        if let Some(problem) = story.judge(&end) {
            wrong.push(format!("{}: {problem}", story.title));
        }
        match output.format {
            Format::Json => told.push(as_json(story, &end)?),
            Format::Table => output.text(&as_text(story, &end))?,
        }
    }
    match (output.format, first) {
        (Format::Json, _) => output.json(&Json::Array(told))?,
        (Format::Table, Some(id)) => output.text(&format!(
            "\nWhat was done for the first, by which service, and when: cartwright trace {id}"
        ))?,
        (Format::Table, None) => {}
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Failure::Mismatch(wrong.join("\n"))),
    }
}

fn as_text(story: &Story, end: &story::End) -> String {
    let answer = end.refusal.as_ref();
    let answer = answer
        .map(|refusal| format!("answer: {refusal}\n"))
        .unwrap_or_default();
    let rule = "─".repeat(story.title.chars().count());
    let timeline = timeline::tell(&end.timeline);
    format!("\n{}\n{rule}\n{answer}{timeline}", story.title)
}

fn as_json(story: &Story, end: &story::End) -> Result<Json, Failure> {
    Ok(serde_json::json!({
        "title": story.title,
        "refusal": end.refusal,
        "timeline": json::of(&end.timeline)?,
    }))
}
