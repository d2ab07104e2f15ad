//! The invariants of orders as SQL. Each statement gives the ids of rows that
//! break one; the right answer is always none.
//!
//! What two services say of each other's books is compared by whoever can ask
//! both; here an order is compared with its own.

use database::Connection;

/// One invariant and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub invariant: &'static str,
    pub description: &'static str,
    pub violations: i64,
    /// Up to ten.
    pub samples: Vec<String>,
}

struct Invariant {
    name: &'static str,
    description: &'static str,
    /// Gives (number of violations, up to ten ids).
    sql: &'static str,
}

macro_rules! counted {
    ($sql:literal) => {
        concat!(
            "with broken (id) as (",
            $sql,
            ") select (select count(*) from broken),
                      array(select id::text from broken order by 1 limit 10)"
        )
    };
}

const INVARIANTS: [Invariant; 8] = [
    Invariant {
        name: "O1",
        description: "the total is the sum of the lines, and priced orders have priced lines",
        sql: counted!(
            "select o.id from orders o
             join lateral (
                 select sum(quantity::numeric * unit_price_minor) as total,
                        count(*) as lines,
                        count(unit_price_minor) as priced
                 from order_lines where order_id = o.id
             ) l on true
             where l.lines = 0
                or o.total_minor is not null
                   and (l.priced <> l.lines or l.total <> o.total_minor)"
        ),
    },
    Invariant {
        name: "O2",
        description: "a confirmed order has its stock committed and its money secured",
        sql: counted!(
            "select id from orders
             where state in (3, 4, 5)
               and (stock <> 3
                    or total_minor is null
                    or total_minor > 0 and payment <> 3
                       and not (payment = 2 and next_run_at is not null))"
        ),
    },
    Invariant {
        name: "O3",
        description: "a rejected or cancelled order holds no stock",
        sql: counted!("select id from orders where state in (7, 8) and stock not in (1, 4)"),
    },
    Invariant {
        name: "O4",
        description: "a rejected or cancelled order keeps no money",
        sql: counted!(
            "select id from orders
             where state in (7, 8)
               and (captured_minor <> refunded_minor
                    or refund_pending_minor <> 0
                    or payment not in (1, 4)
                    or capture not in (1, 4))"
        ),
    },
    Invariant {
        name: "O5",
        description: "events are numbered 1, 2, 3, …, each begins where the one before ended",
        sql: counted!(
            "select id from (
                 select order_id as id,
                        sequence - row_number() over w as gap,
                        from_state is distinct from lag(to_state) over w as leap
                 from order_events
                 window w as (partition by order_id order by sequence)
             ) e
             where gap <> 0 or leap
             union
             select o.id from orders o
             left join order_events e on e.order_id = o.id and e.sequence = o.sequence
             where e.to_state is distinct from o.state"
        ),
    },
    Invariant {
        name: "O6",
        description: "work that has ended is accounted for once: money and units",
        sql: counted!(
            "select o.id from orders o
             join lateral (
                 select coalesce(sum(amount_minor) filter (where state = 2), 0) as pending,
                        coalesce(sum(amount_minor) filter (where state = 3), 0) as repaid
                 from order_works where order_id = o.id and kind in (2, 3)
             ) w on true
             where o.refund_pending_minor <> w.pending
                or o.refunded_minor < w.repaid
                or o.state <> 7 and o.refunded_minor <> w.repaid
                   and not (o.state in (6, 9) and o.refunded_minor = o.captured_minor)
             union
             select l.order_id from order_lines l
             left join (
                 select w.order_id, x.line_number,
                        sum(x.quantity) filter (where w.kind = 1 and w.state = 3) as shipped,
                        sum(x.quantity) filter (where w.kind = 2) as coming_back
                 from order_works w
                 join order_work_lines x on x.work_id = w.id
                 group by w.order_id, x.line_number
             ) w on w.order_id = l.order_id and w.line_number = l.number
             where l.fulfilled <> coalesce(w.shipped, 0)
                or l.returned <> coalesce(w.coming_back, 0)"
        ),
    },
    Invariant {
        name: "O7",
        description: "no saga works on one thing for longer than 15 minutes unnoticed",
        sql: counted!(
            "select id from orders
             where next_run_at is not null
               and state not in (2, 9)
               and began_at < now() - interval '15 minutes'
             union
             select id from orders
             where next_run_at is null
               and (state in (1, 2, 6)
                    or state in (3, 4, 5) and (payment = 2 or capture = 2)
                    or state <> 9 and exists (
                        select from order_works w where w.order_id = orders.id and w.state = 2))"
        ),
    },
    Invariant {
        name: "O8",
        description: "one key gives one order, and no key is left open for an ended order",
        sql: counted!(
            "select o.id from orders o
             join idempotency_keys k on k.method = 'CreateOrder' and k.resource = o.id
             where o.state in (7, 8) and k.state = 1
             union
             select resource from idempotency_keys k
             where k.method = 'CreateOrder'
               and k.resource is not null
               and not exists (select from orders o where o.id = k.resource)"
        ),
    },
];

/// Checks every invariant; the caller sees to it that all see one snapshot.
pub async fn run(conn: &mut Connection) -> database::Result<Vec<Finding>> {
    let mut findings = Vec::with_capacity(INVARIANTS.len());
    for invariant in &INVARIANTS {
        let (violations, samples) = sqlx::query_as(invariant.sql).fetch_one(&mut *conn).await?;
        findings.push(Finding {
            invariant: invariant.name,
            description: invariant.description,
            violations,
            samples,
        });
    }
    Ok(findings)
}

/// The rest of the transaction sees the books as they are now, and may take
/// longer than a call does.
pub async fn freeze(conn: &mut Connection) -> database::Result<()> {
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *conn)
        .await?;
    sqlx::query("set local statement_timeout = '60s'")
        .execute(conn)
        .await?;
    Ok(())
}
