-- Who did what. One row per act, written in the transaction of its effect and
-- never changed: what was recorded stays so, whatever is done later.
create table audit_log (
    id bigint generated always as identity primary key,
    -- the database's clock
    recorded_at timestamptz not null default now(),
    -- 0, or the gRPC code of a refusal
    code integer not null,
    -- the subject of the token, or service:NAME
    principal text not null,
    -- whom the token was issued to, if it says so
    client text,
    -- package.Service/Method
    method text not null,
    idempotency_key text not null,
    -- the id or sku that the call names or creates, if it is one
    resource text,
    -- OK, STARTED when the work goes on after the commit, or the reason
    outcome text not null,
    trace_id text
);

create index audit_log_principal
    on audit_log (principal, id);

create index audit_log_method
    on audit_log (method, id);

create function audit_log_refuse_change() returns trigger
language plpgsql as $$
begin
    raise exception 'audit entries are never changed nor deleted'
        using errcode = 'restrict_violation', constraint = 'audit_log_append_only';
end
$$;

-- The owner of a table cannot be stopped by REVOKE, a trigger stops everybody.
create trigger audit_log_append_only
    before update or delete on audit_log
    for each row execute function audit_log_refuse_change();

create trigger audit_log_no_truncate
    before truncate on audit_log
    for each statement execute function audit_log_refuse_change();

revoke update, delete, truncate on audit_log from public;
