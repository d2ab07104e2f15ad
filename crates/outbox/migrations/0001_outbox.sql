-- Events that are true and not yet published. A row lives for as long as the
-- relay needs to publish it, so the table is small and only its key is indexed.
create table outbox (
    -- Taken while the aggregate is locked: within an aggregate it rises as
    -- `sequence` does, whatever the order of commits.
    position bigint generated always as identity primary key,
    created_at timestamptz not null default now(),
    -- of the aggregate, from 1 without gaps
    sequence bigint not null check (sequence >= 1),
    event_id uuid not null,
    aggregate uuid not null,
    topic text not null,
    kind text not null,
    payload bytea not null,
    traceparent text
);

-- Events that a consumer has acted upon.
create table inbox (
    consumer_group text not null,
    event_id uuid not null,
    received_at timestamptz not null default now(),
    primary key (consumer_group, event_id)
);

-- for prune
create index inbox_received_at
    on inbox (received_at);

-- Events that a consumer failed to handle, and the later ones of the same
-- aggregate, until they are released.
create table inbox_parked (
    position bigint generated always as identity primary key,
    consumer_group text not null,
    stream text not null,
    aggregate uuid not null,
    event_id uuid not null,
    kind text not null,
    sequence bigint not null,
    payload bytea not null,
    traceparent text,
    -- when the event happened
    time timestamptz not null,
    parked_at timestamptz not null default now(),
    -- null: nothing is wrong with this one, it waits behind another
    error text,
    released boolean not null default false,
    unique (consumer_group, event_id)
);

create index inbox_parked_aggregate
    on inbox_parked (consumer_group, stream, aggregate, position);
