//! The table `reservation_applied`.

use database::{Connection, Result};
use types::OrderId;
use uuid::Uuid;

use super::codes;
use crate::domain::{Applied, AppliedKind};

/// Which of `wanted`, all of one kind, were carried out before. The caller has
/// locked the reservations.
pub async fn done(
    conn: &mut Connection,
    kind: AppliedKind,
    wanted: &[(OrderId, Uuid)],
) -> Result<Vec<Applied>> {
    let (orders, ids): (Vec<Uuid>, Vec<Uuid>) = wanted
        .iter()
        .map(|(order_id, id)| (order_id.as_uuid(), *id))
        .unzip();
    let found: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select order_id, id
         from reservation_applied
         join unnest($2::uuid[], $3::uuid[]) as wanted (order_id, id) using (order_id, id)
         where kind = $1",
    )
    .bind(codes::applied_kind(kind))
    .bind(orders)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let applied = found.into_iter().map(|(order_id, id)| Applied {
        order_id: OrderId::from_uuid(order_id),
        kind,
        id,
    });
    Ok(applied.collect())
}

pub async fn insert(conn: &mut Connection, applied: &[Applied]) -> Result<()> {
    sqlx::query(
        "insert into reservation_applied (order_id, kind, id)
         select *
         from unnest($1::uuid[], $2::smallint[], $3::uuid[])",
    )
    .bind(
        applied
            .iter()
            .map(|one| one.order_id.as_uuid())
            .collect::<Vec<_>>(),
    )
    .bind(
        applied
            .iter()
            .map(|one| codes::applied_kind(one.kind))
            .collect::<Vec<_>>(),
    )
    .bind(applied.iter().map(|one| one.id).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
