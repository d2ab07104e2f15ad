-- Orders and their saga. The rules that must never break are constraints, so
-- that wrong code hits one instead of spoiling the books.

create table orders (
    id uuid primary key,
    customer_id text not null,
    -- the client's own name for it; empty: none
    reference text not null,
    currency text not null,
    -- a token of the payment provider
    payment_method text not null,
    -- 1 automatic, 2 manual
    capture_method smallint not null,
    expected_total_minor bigint,
    -- 1 pending, 2 awaiting payment action, 3 confirmed, 4 partially fulfilled,
    -- 5 fulfilled, 6 compensating, 7 cancelled, 8 rejected, 9 needs attention
    state smallint not null,
    reason_code text not null default '',
    reason_message text not null default '',
    -- null until every line has a price
    total_minor bigint,
    captured_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    refund_pending_minor bigint not null default 0,
    payment_id uuid,
    action_url text not null default '',
    action_deadline timestamptz,
    -- that of the last event; also the version
    sequence bigint not null,

    -- effects at the peers: 1 absent, 2 begun, 3 done, 4 undone
    stock smallint not null,
    payment smallint not null,
    capture smallint not null,
    payment_attempt smallint not null default 1,
    -- the state in which an order that is undone will end
    target smallint,
    -- the state in which an order stopped that needs attention
    stopped_in smallint,
    -- what the caller who placed the order is told, once that is decided
    refusal jsonb,
    -- raised by every claim and command: who holds a lower one is fenced
    epoch bigint not null,
    lease_until timestamptz,
    -- null: the saga has nothing to do
    next_run_at timestamptz,
    tries integer not null default 0,
    last_error text not null default '',
    -- since when the saga works on what it works on
    began_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),

    constraint orders_state_known check (state between 1 and 9),
    constraint orders_capture_method_known check (capture_method in (1, 2)),
    constraint orders_effects_known check (
        stock between 1 and 4 and payment between 1 and 4 and capture between 1 and 4
    ),
    constraint orders_total_not_negative check (total_minor >= 0),
    constraint orders_amounts check (
        0 <= refunded_minor and 0 <= refund_pending_minor
        and refunded_minor + refund_pending_minor <= captured_minor
        and captured_minor <= coalesce(total_minor, 0)
    ),
    constraint orders_compensating_has_target check (state <> 6 or target in (7, 8)),
    constraint orders_attention_knows_where check ((state = 9) = (stopped_in is not null)),
    constraint orders_confirmed_is_priced check (state not in (3, 4, 5) or total_minor is not null),
    constraint orders_confirmed_has_stock check (state not in (3, 4, 5) or stock = 3),
    constraint orders_ended_holds_nothing check (
        state not in (7, 8) or (stock in (1, 4) and payment in (1, 4) and capture in (1, 4))
    ),
    constraint orders_ended_keeps_no_money check (state not in (7, 8) or captured_minor = refunded_minor),
    constraint orders_ended_rests check (state not in (7, 8, 9) or next_run_at is null)
) with (fillfactor = 70);

-- what the worker looks for
create index orders_due on orders (next_run_at) where next_run_at is not null;
create index orders_by_time on orders (created_at, id);
create index orders_by_customer on orders (customer_id, created_at, id);
create index orders_by_state on orders (state, created_at, id);

create table order_lines (
    order_id uuid not null references orders,
    number integer not null,
    sku text not null,
    quantity bigint not null,
    -- null until the price is known
    unit_price_minor bigint,
    fulfilled bigint not null default 0,
    -- announced to come back, or back
    returned bigint not null default 0,
    primary key (order_id, number),
    constraint order_lines_number_from_one check (number >= 1),
    constraint order_lines_quantity_range check (quantity between 1 and 1000000),
    constraint order_lines_price_not_negative check (unit_price_minor >= 0),
    constraint order_lines_fulfilled_range check (0 <= fulfilled and fulfilled <= quantity),
    constraint order_lines_returned_range check (0 <= returned and returned <= fulfilled)
);

create table order_events (
    order_id uuid not null references orders,
    sequence bigint not null,
    kind text not null,
    -- null for the first
    from_state smallint,
    to_state smallint not null,
    reason_code text not null default '',
    reason_message text not null default '',
    -- a principal, or "saga"
    actor text not null,
    traceparent text,
    at timestamptz not null default now(),
    primary key (order_id, sequence),
    constraint order_events_first_has_no_past check ((sequence = 1) = (from_state is null)),
    constraint order_events_transition_legal check (
        from_state is null and to_state = 1
        or from_state = to_state
        or (from_state, to_state) in (
            (1, 2), (1, 3), (1, 6), (1, 8), (1, 9),
            (2, 3), (2, 6), (2, 9),
            (3, 4), (3, 5), (3, 6), (3, 9),
            (4, 5), (4, 9),
            (5, 9),
            (6, 7), (6, 8), (6, 9),
            (9, 1), (9, 2), (9, 3), (9, 4), (9, 5), (9, 6)
        )
    )
);

-- What is to be done after confirmation: shipments, returns, refunds.
create table order_works (
    -- also the key under which the peers know it
    id uuid primary key,
    order_id uuid not null references orders,
    -- 1 fulfillment, 2 return, 3 refund
    kind smallint not null,
    -- 1 requested, 2 running, 3 done, 4 failed
    state smallint not null,
    tracking text not null default '',
    restock boolean not null default false,
    -- what is paid back; null for a shipment
    amount_minor bigint,
    reason text not null default '',
    -- the stable code of why it failed
    failure text not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint order_works_kind_known check (kind between 1 and 3),
    constraint order_works_state_known check (state between 1 and 4),
    constraint order_works_amount check (
        (kind = 1) = (amount_minor is null) and amount_minor >= 0
    ),
    constraint order_works_failure check ((state = 4) = (failure <> ''))
);

create index order_works_by_order on order_works (order_id, kind, created_at, id);

create table order_work_lines (
    work_id uuid not null references order_works,
    line_number integer not null,
    quantity bigint not null,
    primary key (work_id, line_number),
    constraint order_work_lines_quantity_range check (quantity between 1 and 1000000)
);

-- A total is a promise to the customer.
create function refuse_new_price() returns trigger language plpgsql as $$
begin
    raise exception 'a price that was accepted does not change'
        using errcode = 'check_violation', constraint = tg_argv[0];
end
$$;

create trigger orders_total_stays
    before update of total_minor on orders
    for each row
    when (old.total_minor is not null and new.total_minor is distinct from old.total_minor)
    execute function refuse_new_price('orders_total_stays');

create trigger order_lines_price_stays
    before update of unit_price_minor on order_lines
    for each row
    when (old.unit_price_minor is not null and new.unit_price_minor is distinct from old.unit_price_minor)
    execute function refuse_new_price('order_lines_price_stays');

-- What happened stays what happened.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'check_violation';
end
$$;

create trigger order_events_append_only
    before update or delete on order_events
    for each statement
    execute function refuse_change();
