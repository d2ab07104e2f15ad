//! Ways to spoil books that were good, each with its repair and with the checks
//! that have to see it.

pub struct Damage {
    pub name: &'static str,
    pub database: &'static str,
    pub table: &'static str,
    pub spoil: &'static str,
    pub repair: &'static str,
    pub seen_by: &'static [&'static str],
}

pub const DAMAGES: &[Damage] = &[
    Damage {
        name: "an order is lost",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select * from orders where state = 3 order by id limit 1;
                delete from orders where id = (select id from gone)",
        repair: "insert into orders select * from gone; drop table gone",
        seen_by: &[
            "acknowledged-orders",
            "orders-and-payments",
            "reservations",
            "charged-once",
        ],
    },
    Damage {
        name: "a line is lost",
        database: "orders",
        table: "order_lines",
        spoil: "create table gone as select * from order_lines order by order_id limit 1;
                delete from order_lines l using gone g
                where (l.order_id, l.number) = (g.order_id, g.number)",
        repair: "insert into order_lines select * from gone; drop table gone",
        seen_by: &["acknowledged-orders", "totals"],
    },
    Damage {
        name: "a total has changed",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select id from orders where state = 3 order by id limit 1;
                update orders set total_minor = total_minor + 1 where id = (select id from gone)",
        repair: "update orders set total_minor = total_minor - 1 where id = (select id from gone);
                 drop table gone",
        seen_by: &["acknowledged-orders", "totals", "confirmed-is-covered"],
    },
    Damage {
        name: "one key has made two orders",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select * from orders order by id limit 1;
                update orders
                set reference = (select reference from orders order by id offset 1 limit 1)
                where id = (select id from gone)",
        repair: "update orders o set reference = g.reference from gone g where o.id = g.id;
                 drop table gone",
        seen_by: &["one-order-for-a-key"],
    },
    Damage {
        name: "a cancelled order is not cancelled",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select id from orders
                where reason_code = 'CANCELLED_BY_CLIENT' and state = 7 order by id limit 1;
                update orders set state = 8 where id = (select id from gone)",
        repair: "update orders set state = 7 where id = (select id from gone); drop table gone",
        seen_by: &["acknowledged-cancels", "order-events"],
    },
    Damage {
        name: "a confirmed order is undone",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select * from orders where state = 3 order by id limit 1;
                update orders
                set state = 7, stock = 4, payment = 4, capture = 4,
                    captured_minor = 0, refunded_minor = 0, refund_pending_minor = 0,
                    next_run_at = null
                where id = (select id from gone)",
        repair: "delete from orders where id = (select id from gone);
                 insert into orders select * from gone; drop table gone",
        seen_by: &[
            "confirmed-stays-confirmed",
            "ended-keeps-nothing",
            "orders-and-payments",
        ],
    },
    Damage {
        name: "a rejected order is sold after all",
        database: "orders",
        table: "orders",
        spoil: "create table gone as
                select o.* from orders o
                join idempotency_keys k on k.method = 'CreateOrder' and k.resource = o.id
                where o.state = 8 and o.total_minor is not null and k.code > 0
                order by o.id limit 1;
                update orders set state = 3, stock = 3 where id = (select id from gone)",
        repair: "update orders o set state = g.state, stock = g.stock from gone g
                 where o.id = g.id;
                 drop table gone",
        seen_by: &["rejected-orders", "confirmed-is-covered", "order-events"],
    },
    Damage {
        name: "an event of an order is lost",
        database: "orders",
        table: "order_events",
        spoil: "create table gone as select * from order_events where sequence = 2 limit 1;
                delete from order_events e using gone g
                where (e.order_id, e.sequence) = (g.order_id, g.sequence)",
        repair: "insert into order_events select * from gone; drop table gone",
        seen_by: &["order-events", "events-published"],
    },
    Damage {
        name: "a refund is lost",
        database: "orders",
        table: "order_works",
        spoil: "create table gone as select * from order_works
                where kind = 3 and state = 3 order by id limit 1;
                delete from order_works where id = (select id from gone)",
        repair: "insert into order_works select * from gone; drop table gone",
        seen_by: &["acknowledged-refunds"],
    },
    Damage {
        name: "a refund is there twice",
        database: "orders",
        table: "order_works",
        spoil: "create table gone as select * from order_works
                where kind = 3 and state = 3 order by id limit 1;
                update gone set id = gen_random_uuid();
                insert into order_works select * from gone",
        repair: "delete from order_works where id = (select id from gone); drop table gone",
        seen_by: &["one-work-for-a-key"],
    },
    Damage {
        name: "a shipment has other lines",
        database: "orders",
        table: "order_work_lines",
        spoil: "create table gone as
                select x.* from order_work_lines x join order_works w on w.id = x.work_id
                where w.kind = 1 and w.state = 3 order by x.work_id limit 1;
                update order_work_lines x set quantity = x.quantity + 1 from gone g
                where (x.work_id, x.line_number) = (g.work_id, g.line_number)",
        repair: "update order_work_lines x set quantity = g.quantity from gone g
                 where (x.work_id, x.line_number) = (g.work_id, g.line_number);
                 drop table gone",
        seen_by: &["stock-adds-up"],
    },
    Damage {
        name: "a return is forgotten",
        database: "orders",
        table: "order_works",
        spoil: "create table gone as select * from order_works
                where kind = 2 and state = 3 order by id limit 1;
                update order_works set state = 1 where id = (select id from gone)",
        repair: "update order_works set state = 3 where id = (select id from gone);
                 drop table gone",
        seen_by: &["acknowledged-returns"],
    },
    Damage {
        name: "a shipment is forgotten",
        database: "orders",
        table: "order_works",
        spoil: "create table gone as select * from order_works
                where kind = 1 and state = 3 order by id limit 1;
                delete from order_works where id = (select id from gone)",
        repair: "insert into order_works select * from gone; drop table gone",
        seen_by: &["acknowledged-shipments", "stock-adds-up"],
    },
    Damage {
        name: "a saga waits and nothing happens",
        database: "orders",
        table: "orders",
        spoil: "create table gone as select id from orders where state = 5 order by id limit 1;
                update orders set next_run_at = now() + interval '1 day'
                where id = (select id from gone);
                update order_events set at = at - interval '1 hour'
                where order_id = (select id from gone)",
        repair: "update orders set next_run_at = null where id = (select id from gone);
                 update order_events set at = at + interval '1 hour'
                 where order_id = (select id from gone);
                 drop table gone",
        seen_by: &["sagas-end"],
    },
    Damage {
        name: "more is sold than there is",
        database: "orders",
        table: "order_lines",
        spoil: "create table gone as
                select l.* from order_lines l join orders o on o.id = l.order_id
                where o.state in (3, 4, 5) and l.sku = 'HOT-1' limit 1;
                update order_lines l set quantity = l.quantity + 1000 from gone g
                where (l.order_id, l.number) = (g.order_id, g.number)",
        repair: "update order_lines l set quantity = g.quantity from gone g
                 where (l.order_id, l.number) = (g.order_id, g.number);
                 drop table gone",
        seen_by: &["nothing-oversold", "confirmed-is-covered"],
    },
    Damage {
        name: "an event was not acted upon",
        database: "orders",
        table: "inbox",
        spoil: "create table gone as select * from inbox limit 1;
                delete from inbox where event_id = (select event_id from gone)",
        repair: "insert into inbox select * from gone; drop table gone",
        seen_by: &["effects-once"],
    },
    Damage {
        name: "an event was set aside",
        database: "orders",
        table: "inbox_parked",
        spoil: "insert into inbox_parked
                    (consumer_group, stream, aggregate, event_id, kind, sequence, payload, time)
                values ('g', 's', gen_random_uuid(), gen_random_uuid(), 'k', 1, '', now())",
        repair: "delete from inbox_parked where consumer_group = 'g'",
        seen_by: &["outbox-empty"],
    },
    Damage {
        name: "a capture is booked with another amount",
        database: "payments",
        table: "payments",
        spoil: "create table gone as select id from payments
                where state = 6 and refunded_minor = 0 order by id limit 1;
                update payments set captured_minor = captured_minor - 1
                where id = (select id from gone)",
        repair: "update payments set captured_minor = captured_minor + 1
                 where id = (select id from gone);
                 drop table gone",
        seen_by: &[
            "payment-amounts",
            "ledger",
            "orders-and-payments",
            "provider-by-payment",
            "provider-in-total",
        ],
    },
    Damage {
        name: "the ledger does not balance",
        database: "payments",
        table: "ledger_entries",
        spoil: "create table gone as select * from ledger_entries order by id limit 1;
                delete from ledger_entries where id = (select id from gone)",
        repair: "insert into ledger_entries overriding system value select * from gone;
                 drop table gone",
        seen_by: &["ledger"],
    },
    Damage {
        name: "a payment has lost its name at the provider",
        database: "payments",
        table: "payments",
        spoil: "create table gone as select * from payments where state = 6 order by id limit 1;
                update payments set provider_reference = null where id = (select id from gone)",
        repair: "update payments p set provider_reference = g.provider_reference from gone g
                 where p.id = g.id;
                 drop table gone",
        seen_by: &["provider-by-payment"],
    },
    Damage {
        name: "stock has appeared",
        database: "inventory",
        table: "stock_levels",
        spoil: "update stock_levels set on_hand = on_hand + 1 where sku = 'PLAIN-00'",
        repair: "update stock_levels set on_hand = on_hand - 1 where sku = 'PLAIN-00'",
        seen_by: &["stock-movements", "stock-adds-up"],
    },
    Damage {
        name: "a promise is not counted",
        database: "inventory",
        table: "stock_levels",
        spoil: "update stock_levels set committed = committed + 1 where sku = 'PLAIN-00'",
        repair: "update stock_levels set committed = committed - 1 where sku = 'PLAIN-00'",
        seen_by: &["stock-levels"],
    },
    Damage {
        name: "the stock of a confirmed order was let go",
        database: "inventory",
        table: "reservations",
        spoil: "create table gone as select order_id from reservations
                where state = 2 order by order_id limit 1;
                update reservations set state = 5 where order_id = (select order_id from gone)",
        repair: "update reservations set state = 2 where order_id = (select order_id from gone);
                 drop table gone",
        seen_by: &["confirmed-is-covered", "stock-levels"],
    },
    Damage {
        name: "a tombstone holds what was shipped",
        database: "inventory",
        table: "reservations",
        spoil: "create table gone as select order_id, state from reservations
                where state = 3 order by order_id limit 1;
                update reservations set state = 6, fingerprint = null
                where order_id = (select order_id from gone)",
        repair: "update reservations set state = 3, fingerprint = ''
                 where order_id = (select order_id from gone);
                 drop table gone",
        seen_by: &["reservations", "confirmed-is-covered"],
    },
    Damage {
        name: "an adjustment was made twice",
        database: "inventory",
        table: "stock_movements",
        spoil: "insert into stock_movements
                    (sku, location_id, kind, delta, on_hand_after, reference, reason)
                select sku, location_id, kind, delta, on_hand_after, reference, reason
                from stock_movements where kind = 2 order by sequence limit 1",
        repair: "delete from stock_movements
                 where sequence = (select max(sequence) from stock_movements)",
        seen_by: &["acknowledged-adjustments", "stock-movements"],
    },
];
