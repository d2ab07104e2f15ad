//! The table `ledger_entries`, which is only ever appended to.

use chrono::{DateTime, Utc};
use database::{Connection, Result};
use types::{Money, OrderId, PaymentId};
use uuid::Uuid;

use super::codes;
use super::payments::column;
use crate::domain::{LedgerAccount, Leg};

/// A leg as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: i64,
    pub transaction: Uuid,
    pub payment_id: PaymentId,
    pub order_id: OrderId,
    pub account: LedgerAccount,
    pub amount: Money,
    pub recorded_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    transaction_id: Uuid,
    payment_id: Uuid,
    order_id: Uuid,
    recorded_at: DateTime<Utc>,
    amount_minor: i64,
    account: i16,
    currency: String,
}

impl Row {
    fn entry(self) -> sqlx::Result<Entry> {
        Ok(Entry {
            id: self.id,
            transaction: self.transaction_id,
            payment_id: self.payment_id.into(),
            order_id: self.order_id.into(),
            account: codes::account(self.account)?,
            amount: Money::new(self.amount_minor, codes::currency(&self.currency)?),
            recorded_at: self.recorded_at,
        })
    }
}

pub async fn append(conn: &mut Connection, legs: &[Leg]) -> Result<()> {
    sqlx::query(
        "insert into ledger_entries
             (transaction_id, payment_id, order_id, account, amount_minor, currency, reversal)
         select *
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::smallint[], $5::bigint[], $6::text[],
                     $7::bool[])",
    )
    .bind(column(legs, |leg| leg.transaction))
    .bind(column(legs, |leg| leg.payment.as_uuid()))
    .bind(column(legs, |leg| leg.order.as_uuid()))
    .bind(column(legs, |leg| codes::of_account(leg.account)))
    .bind(column(legs, |leg| leg.amount_minor))
    .bind(column(legs, |leg| leg.currency))
    .bind(column(legs, |leg| leg.reversal))
    .execute(conn)
    .await?;
    Ok(())
}

/// Oldest first, after the entry `after`. Each filter that is given has an
/// index.
pub async fn list(
    conn: &mut Connection,
    payment: Option<PaymentId>,
    order: Option<OrderId>,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>> {
    let statement = match (payment, order) {
        (None, None) => {
            "select id, transaction_id, payment_id, order_id, recorded_at, amount_minor, account,
                    currency
             from ledger_entries
             where $1::uuid is null
               and $2::uuid is null
               and id > $3
             order by id
             limit $4"
        }
        (Some(_), _) => {
            "select id, transaction_id, payment_id, order_id, recorded_at, amount_minor, account,
                    currency
             from ledger_entries
             where payment_id = $1
               and ($2::uuid is null or order_id = $2)
               and id > $3
             order by id
             limit $4"
        }
        (None, Some(_)) => {
            "select id, transaction_id, payment_id, order_id, recorded_at, amount_minor, account,
                    currency
             from ledger_entries
             where $1::uuid is null
               and order_id = $2
               and id > $3
             order by id
             limit $4"
        }
    };
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(payment.map(|id| id.as_uuid()))
        .bind(order.map(|id| id.as_uuid()))
        .bind(after)
        .bind(limit)
        .fetch_all(conn)
        .await?;
    let entries: sqlx::Result<Vec<Entry>> = rows.into_iter().map(Row::entry).collect();
    Ok(entries?)
}
