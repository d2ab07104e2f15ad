-- One row per key that a mutating call was answered or begun under. It is
-- written in the transaction of the effect, mostly once: few and small
-- columns, fixed widths first, so that a key costs little WAL.
create table idempotency_keys (
    created_at timestamptz not null default now(),
    -- from here on the row counts as absent
    expires_at timestamptz not null,
    -- running only: when another caller may take the work over
    lease_until timestamptz,
    -- what `finish` finds the row by; null where the answer came at once
    resource uuid,
    -- done only: 0, or the gRPC code of a refusal
    code integer,
    -- 1 running, 2 done
    state smallint not null,
    principal text not null,
    method text not null,
    key text not null,
    -- SHA-256 of the request
    fingerprint bytea not null,
    -- done only: the encoded response, or google.rpc.Status
    body bytea,
    primary key (principal, method, key),
    constraint idempotency_keys_running_or_done check (
        (state = 1 and resource is not null and lease_until is not null and code is null and body is null)
        or (state = 2 and lease_until is null and code is not null and body is not null)
    )
);

create unique index idempotency_keys_resource
    on idempotency_keys (method, resource)
    where resource is not null;

-- for prune
create index idempotency_keys_expires_at
    on idempotency_keys (expires_at);
