//! Looking things up. An answer waits until what it tells is durable.

use super::{App, AppError};
use crate::books::refund::Refund;
use crate::books::{Answer, SharedAccount};
use crate::wire::{List, PaymentIntent, Problem, RefundView, render};

/// Which part of a list.
pub struct PageOf {
    pub limit: usize,
    /// The id of the last object of the page before.
    pub starting_after: Option<String>,
    /// Unix seconds.
    pub created_from: i64,
}

impl App {
    pub async fn payment_intent(&self, id: &str) -> Result<Answer, AppError> {
        let account = self.account(id)?;
        let (answer, end) = {
            let account = account.lock();
            (self.intent_answer(&account.intent)?, account.end)
        };
        self.books.durable(end).await?;
        Ok(answer)
    }

    pub async fn payment_intents(&self, page: PageOf) -> Result<Answer, AppError> {
        let after = match &page.starting_after {
            None => None,
            Some(id) => {
                let missing = || Problem::missing("payment_intent", id).param("starting_after");
                let account = self.books.account(id).ok_or_else(missing)?;
                let account = account.lock();
                Some((account.intent.created, account.intent.sequence))
            }
        };
        let found = self.books.page(page.created_from, after, page.limit + 1);
        let mut data = Vec::with_capacity(found.len());
        let mut end = 0;
        for account in found {
            let account = account.lock();
            end = end.max(account.end);
            data.push(render(&PaymentIntent::of(
                &account.intent,
                &self.public_url,
            ))?);
        }
        self.books.durable(end).await?;
        ok(&List::page(data, page.limit, "/v1/payment_intents"))
    }

    pub async fn refund_by_id(&self, id: &str) -> Result<Answer, AppError> {
        let missing = || Problem::missing("refund", id).param("id");
        let account = self.books.account_of_refund(id).ok_or_else(missing)?;
        let (answer, end) = {
            let account = account.lock();
            let refund = account.refunds.iter().find(|refund| refund.id == id);
            (
                ok(&RefundView::of(refund.ok_or_else(missing)?))?,
                account.end,
            )
        };
        self.books.durable(end).await?;
        Ok(answer)
    }

    /// All refunds, newest first.
    pub async fn refunds(&self, page: PageOf) -> Result<Answer, AppError> {
        let after = match &page.starting_after {
            None => None,
            Some(id) => {
                let missing = || Problem::missing("refund", id).param("starting_after");
                let account = self.books.account_of_refund(id).ok_or_else(missing)?;
                let account = account.lock();
                let refund = account.refunds.iter().find(|refund| refund.id == *id);
                let refund = refund.ok_or_else(missing)?;
                Some((refund.created, refund.sequence))
            }
        };
        let (found, end) = self.books.refunds(page.created_from, after, page.limit + 1);
        let data = found
            .iter()
            .map(|refund| render(&RefundView::of(refund)))
            .collect::<Result<Vec<_>, _>>()?;
        self.books.durable(end).await?;
        ok(&List::page(data, page.limit, "/v1/refunds"))
    }

    /// The refunds of one intent, newest first.
    pub async fn refunds_of(&self, intent: &str, page: PageOf) -> Result<Answer, AppError> {
        let account: SharedAccount = self.account(intent)?;
        let (data, end) = {
            let account = account.lock();
            let after = position(&account.refunds, page.starting_after.as_deref())?;
            let newest_first = account.refunds[..after].iter().rev();
            let found = newest_first.filter(|refund| refund.created >= page.created_from);
            let data = found
                .take(page.limit + 1)
                .map(|refund| render(&RefundView::of(refund)))
                .collect::<Result<Vec<_>, _>>()?;
            (data, account.end)
        };
        self.books.durable(end).await?;
        ok(&List::page(data, page.limit, "/v1/refunds"))
    }
}

/// Refunds older than the one named are before this position.
fn position(refunds: &[Refund], starting_after: Option<&str>) -> Result<usize, Problem> {
    let Some(id) = starting_after else {
        return Ok(refunds.len());
    };
    let position = refunds.iter().position(|refund| refund.id == id);
    position.ok_or_else(|| Problem::missing("refund", id).param("starting_after"))
}

fn ok<T: serde::Serialize>(shape: &T) -> Result<Answer, AppError> {
    Ok(Answer {
        status: 200,
        body: render(shape)?,
    })
}
