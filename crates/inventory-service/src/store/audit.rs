//! The invariants, each as one statement that gives the ids of what breaks it.

use database::{Connection, Result};

/// What became of one invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: &'static str,
    pub description: &'static str,
    /// Rows that break it; 0 is the only good number.
    pub violations: i64,
    /// Up to ten of them.
    pub samples: Vec<String>,
}

struct Invariant {
    name: &'static str,
    description: &'static str,
    /// Selects one column `id`, text.
    count: &'static str,
}

macro_rules! invariant {
    ($name:literal, $description:literal, $broken:literal) => {
        Invariant {
            name: $name,
            description: $description,
            count: concat!(
                "with broken (id) as (",
                $broken,
                ") select count(*), coalesce((array_agg(id order by id))[1:10], '{}') from broken"
            ),
        }
    };
}

const INVARIANTS: [Invariant; 8] = [
    invariant!(
        "S1",
        "no stock level is negative, and none promises more than it may",
        "select sku || ' at ' || location_id
         from stock_levels
         where on_hand < 0
            or held < 0
            or committed < 0
            or safety_stock < 0
            or held + committed > on_hand + backorder_limit"
    ),
    invariant!(
        "S2",
        "held and committed are what the reservations hold",
        "select sku || ' at ' || location_id
         from stock_levels
         full join (
             select sku, location_id,
                    coalesce(sum(quantity) filter (where state = 1), 0) as lines_held,
                    coalesce(sum(quantity - fulfilled) filter (where state = 2), 0) as lines_committed
             from reservations
             join reservation_lines using (order_id)
             where state in (1, 2)
               and location_id <> ''
             group by sku, location_id
         ) as promised using (sku, location_id)
         where (coalesce(held, 0), coalesce(committed, 0))
               <> (coalesce(lines_held, 0), coalesce(lines_committed, 0))"
    ),
    invariant!(
        "S3",
        "stock on hand is the sum of its movements, each of which says so",
        "select sku || ' at ' || location_id
         from stock_levels
         full join (
             select sku, location_id, sum(delta) as moved,
                    (array_agg(on_hand_after order by sequence desc))[1] as last,
                    bool_and(chained) as chained
             from (
                 select sku, location_id, sequence, delta, on_hand_after,
                        on_hand_after = sum(delta) over (
                            partition by sku, location_id
                            order by sequence
                        ) as chained
                 from stock_movements
             ) as movement
             group by sku, location_id
         ) as moved using (sku, location_id)
         where coalesce(on_hand, 0) <> coalesce(moved, 0)
            or coalesce(last, 0) <> coalesce(on_hand, 0)
            or not coalesce(chained, true)"
    ),
    invariant!(
        "S4",
        "no hold is overdue by more than 5 seconds",
        "select order_id::text
         from reservations
         where state = 1
           and expires_at < now() - interval '5 seconds'"
    ),
    invariant!(
        "S5",
        "an order has one reservation, and a tombstone holds nothing",
        "select order_id::text
         from reservations
         where state = 6
           and exists (
               select
               from reservation_lines as line
               where line.order_id = reservations.order_id
           )
         union all
         select order_id::text
         from reservations
         group by order_id
         having count(*) > 1"
    ),
    invariant!(
        "S6",
        "no more is shipped than was received, nor returned than was shipped",
        "select order_id::text
         from reservation_lines
         where fulfilled > quantity
            or returned > fulfilled
         union all
         select order_id::text
         from reservations
         join reservation_lines using (order_id)
         where state = 3
           and fulfilled < quantity
         union all
         select sku
         from (
             select sku, sum(-delta) filter (where kind = 3) as shipped
             from stock_movements
             group by sku
         ) as movement
         full join (
             select sku, sum(fulfilled) as fulfilled
             from reservation_lines
             where location_id <> ''
             group by sku
         ) as line using (sku)
         where coalesce(shipped, 0) <> coalesce(fulfilled, 0)
         union all
         select sku
         from stock_movements
         group by sku
         having sum(delta) < 0"
    ),
    invariant!(
        "O6",
        "every event is published within a minute, and none is set aside",
        "select event_id::text
         from outbox
         where created_at < now() - interval '60 seconds'
         union all
         select event_id::text
         from inbox_parked"
    ),
    invariant!(
        "O8",
        "a key has one answer, and none that was begun is forgotten",
        "select method || ' ' || key
         from idempotency_keys
         where (state = 1 and lease_until < now() - interval '60 seconds')
            or (state = 2 and (code is null or body is null))
         union all
         select method || ' ' || key
         from idempotency_keys
         group by principal, method, key
         having count(*) > 1"
    ),
];

/// Counts what breaks each invariant; the caller's transaction is a snapshot.
pub async fn run(conn: &mut Connection) -> Result<Vec<Finding>> {
    // It reads every table as a whole, which may take longer than a call.
    sqlx::query("set local statement_timeout = '60s'")
        .execute(&mut *conn)
        .await?;
    let mut findings = Vec::with_capacity(INVARIANTS.len());
    for invariant in &INVARIANTS {
        let (violations, samples): (i64, Vec<String>) = sqlx::query_as(invariant.count)
            .fetch_one(&mut *conn)
            .await?;
        findings.push(Finding {
            invariant: invariant.name,
            description: invariant.description,
            violations,
            samples,
        });
    }
    Ok(findings)
}
