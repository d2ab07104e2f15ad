-- The double-entry ledger. It is only ever appended to: a mistake is put right
-- by a reversal, never by a change.
create table ledger_entries (
    id bigint generated always as identity primary key,
    -- the capture or refund behind it; its legs share it
    transaction_id uuid not null,
    payment_id uuid not null references payments (id),
    order_id uuid not null,
    recorded_at timestamptz not null default now(),
    -- a debit is positive, a credit negative
    amount_minor bigint not null,
    -- 1 provider, 2 sales, 3 refunds
    account smallint not null,
    -- takes an earlier entry of the same transaction back
    reversal boolean not null,
    currency text not null,
    constraint ledger_entries_leg_once unique (transaction_id, account, reversal),
    constraint ledger_entries_account_known check (account between 1 and 3),
    constraint ledger_entries_amount_not_zero check (amount_minor <> 0)
);

create index ledger_entries_payment
    on ledger_entries (payment_id, id);

create index ledger_entries_order
    on ledger_entries (order_id, id);

create function ledger_entries_refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'ledger entries are never changed nor deleted'
        using errcode = 'restrict_violation', constraint = 'ledger_entries_append_only';
end
$$;

-- The owner of a table cannot be stopped by REVOKE, a trigger stops everybody.
create trigger ledger_entries_append_only
    before update or delete on ledger_entries
    for each row execute function ledger_entries_refuse_change();

create trigger ledger_entries_no_truncate
    before truncate on ledger_entries
    for each statement execute function ledger_entries_refuse_change();

revoke update, delete, truncate on ledger_entries from public;

create function ledger_entries_check_balance() returns trigger
language plpgsql as $$
begin
    if exists (
        select
        from ledger_entries
        where transaction_id = new.transaction_id
        group by currency
        having sum(amount_minor) <> 0
    ) then
        raise exception 'ledger transaction % does not balance', new.transaction_id
            using errcode = 'check_violation', constraint = 'ledger_entries_balanced';
    end if;
    return null;
end
$$;

-- At commit: the legs of a transaction come one after the other.
create constraint trigger ledger_entries_balanced
    after insert on ledger_entries
    deferrable initially deferred
    for each row execute function ledger_entries_check_balance();
