//! Payments that the provider has and the books have not.

use database::{Connection, Result};
use types::PaymentId;
use uuid::Uuid;

use crate::domain::Payment;
use crate::store::codes;

/// Writes a payment as it was made elsewhere, with the provider's time. The
/// caller holds the lock of its order.
pub async fn adopt(conn: &mut Connection, payment: &Payment) -> Result<()> {
    sqlx::query(
        "insert into payments
             (id, order_id, created_at, amount_minor, attempt, state, currency, payment_method,
              provider_key, provider_reference, decline_code)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(payment.id.as_uuid())
    .bind(payment.order_id.as_uuid())
    .bind(payment.created_at)
    .bind(payment.amount_minor)
    .bind(i16::try_from(payment.attempt).unwrap_or(i16::MAX))
    .bind(codes::of_state(payment.state))
    .bind(payment.currency.code())
    .bind(&payment.payment_method)
    .bind(&payment.provider_key)
    .bind(&payment.provider_reference)
    .bind(&payment.decline_code)
    .execute(conn)
    .await?;
    Ok(())
}

/// Payments after `after`, by id, that the provider knows and that are not at
/// their end: with the provider's ids.
pub async fn unfinished(
    conn: &mut Connection,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(PaymentId, String)>> {
    let rows: Vec<(Uuid, String)> = sqlx::query_as(
        "select id, provider_reference
         from payments
         where id > $1
           and provider_reference is not null
           and (state between 1 and 5 or capture_pending_minor > 0 or refund_pending_minor > 0)
         order by id
         limit $2",
    )
    .bind(after)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let rows = rows.into_iter();
    Ok(rows.map(|(id, reference)| (id.into(), reference)).collect())
}
