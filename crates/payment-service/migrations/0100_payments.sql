-- One row per attempt to be paid for an order. It is written, with the key for
-- the provider, before the provider is asked. All amounts are minor units of
-- `currency`. Fixed widths first: the row is rewritten several times.
create table payments (
    id uuid primary key,
    order_id uuid not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- when the reconciler looks at it next; null: nothing is open
    next_check_at timestamptz,
    version bigint not null default 1,
    -- number of the last event told about it
    event_count bigint not null default 0,
    amount_minor bigint not null,
    authorized_minor bigint not null default 0,
    captured_minor bigint not null default 0,
    capture_pending_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    refund_pending_minor bigint not null default 0,
    attempt smallint not null,
    -- 1 created, 2 processing, 3 requires action, 4 authorized, 5 partially
    -- captured, 6 captured, 7 voided, 8 declined, 9 expired, 10 failed
    state smallint not null,
    -- how often the reconciler has looked since the last change
    checks smallint not null default 0,
    -- somebody wants it voided; done as soon as its outcome is known
    void_requested boolean not null default false,
    currency text not null,
    -- a token of the provider, never a card number
    payment_method text not null,
    -- the provider's idempotency key of the creation
    provider_key text not null,
    provider_reference text,
    -- where the customer is sent, in state 3
    action_url text,
    decline_code text,
    constraint payments_attempt_once unique (order_id, attempt),
    constraint payments_attempt_in_range check (attempt between 1 and 100),
    constraint payments_state_known check (state between 1 and 10),
    constraint payments_amount_in_range check (amount_minor between 1 and 99999999999),
    constraint payments_captures_within_authorized check (
        captured_minor >= 0
        and capture_pending_minor >= 0
        and captured_minor + capture_pending_minor <= authorized_minor
        and authorized_minor <= amount_minor
    ),
    constraint payments_refunds_within_captured check (
        refunded_minor >= 0
        and refund_pending_minor >= 0
        and refunded_minor + refund_pending_minor <= captured_minor
    ),
    constraint payments_amounts_fit_state check (
        case
            when state in (4, 5, 6) then authorized_minor = amount_minor
            else authorized_minor = 0
        end
    ),
    constraint payments_card_number_free check (payment_method !~ '^[0-9 -]{13,}$')
);

-- At most one live payment per order. A captured one is live: the order is paid.
create unique index payments_one_live_per_order
    on payments (order_id)
    where state between 1 and 6;

create unique index payments_provider_reference
    on payments (provider_reference)
    where provider_reference is not null;

create index payments_newest
    on payments (created_at desc, id desc);

-- for the reconciler
create index payments_next_check_at
    on payments (next_check_at)
    where next_check_at is not null;

-- Orders whose payment was voided, possibly before it was ever made.
create table order_tombstones (
    order_id uuid primary key,
    created_at timestamptz not null default now(),
    reason text not null
);

-- Money taken. The id is the provider's idempotency key.
create table captures (
    id uuid primary key,
    payment_id uuid not null references payments (id),
    created_at timestamptz not null default now(),
    amount_minor bigint not null,
    -- 1 pending, 2 succeeded, 3 failed
    state smallint not null,
    -- the rest of the authorization is given back with it
    final boolean not null,
    failure_code text,
    constraint captures_amount_positive check (amount_minor > 0),
    constraint captures_state_known check (state between 1 and 3)
);

create index captures_payment
    on captures (payment_id, created_at);

-- Money given back. The id is the provider's idempotency key.
create table refunds (
    id uuid primary key,
    payment_id uuid not null references payments (id),
    order_id uuid not null,
    created_at timestamptz not null default now(),
    version bigint not null default 1,
    amount_minor bigint not null,
    -- 1 pending, 2 succeeded, 3 failed
    state smallint not null,
    currency text not null,
    reason text not null,
    -- known once the provider has taken the refund on
    provider_reference text,
    failure_code text,
    constraint refunds_amount_positive check (amount_minor > 0),
    constraint refunds_state_known check (state between 1 and 3)
);

create index refunds_newest
    on refunds (created_at desc, id desc);

create index refunds_payment
    on refunds (payment_id, created_at);

create index refunds_order
    on refunds (order_id, created_at);

-- What the provider told, each event once.
create table webhook_events (
    received_at timestamptz not null default now(),
    payment_id uuid,
    provider text not null,
    event_id text not null,
    kind text not null,
    payload_sha256 bytea not null,
    primary key (provider, event_id)
);

-- for pruning
create index webhook_events_received_at
    on webhook_events (received_at);
