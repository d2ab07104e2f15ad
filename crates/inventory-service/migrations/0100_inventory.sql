-- Names compare byte by byte ("C"), so that Postgres, Rust and every replica
-- sort them, and so lock by them, in the same order whatever the locale.

create table items (
    sku text collate "C" primary key,
    title text not null,
    -- null: can only be sold with a price given by the caller
    list_price_minor bigint,
    list_price_currency text,
    -- false: sold, but never counted (postage, vouchers, fees)
    stock_tracked boolean not null,
    backorder_limit bigint not null,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    constraint items_price_is_whole check (
        (list_price_minor is null) = (list_price_currency is null)
    ),
    constraint items_price_not_negative check (list_price_minor >= 0),
    constraint items_backorder_limit_not_negative check (backorder_limit >= 0)
);

create table locations (
    id text collate "C" primary key,
    name text not null,
    -- stock is taken from the lowest number first
    priority integer not null,
    version bigint not null default 1
);

create index locations_in_order on locations (priority, id);

insert into locations (id, name, priority)
values ('main', 'Main', 0);

-- The hottest rows of the service. Room is left on each page, and no index
-- covers a column that changes, so that updates stay on their page (HOT).
create table stock_levels (
    sku text collate "C" not null constraint stock_levels_sku references items,
    location_id text collate "C" not null constraint stock_levels_location references locations,
    on_hand bigint not null default 0,
    -- promised by reservations that may still expire
    held bigint not null default 0,
    -- promised to confirmed orders
    committed bigint not null default 0,
    safety_stock bigint not null default 0,
    -- a copy of the item's, so that the rule below can stand on the row
    backorder_limit bigint not null,
    version bigint not null default 0,
    primary key (sku, location_id),
    constraint stock_levels_on_hand_not_negative check (on_hand >= 0),
    constraint stock_levels_held_not_negative check (held >= 0),
    constraint stock_levels_committed_not_negative check (committed >= 0),
    constraint stock_levels_safety_stock_not_negative check (safety_stock >= 0),
    constraint stock_levels_never_oversold check (held + committed <= on_hand + backorder_limit)
) with (fillfactor = 50);

-- Every change of stock on hand. What is held or committed is proven by the
-- reservations instead.
create table stock_movements (
    -- Assigned under a lock that is kept until the commit (see
    -- store/movements.rs): whoever sees a sequence sees all lower ones.
    sequence bigint generated always as identity primary key,
    sku text collate "C" not null,
    location_id text collate "C" not null,
    -- 1 set, 2 adjust, 3 fulfill, 4 return, 5 transfer out, 6 transfer in
    kind smallint not null,
    delta bigint not null,
    on_hand_after bigint not null,
    -- the fulfillment or return behind it; empty where there is none
    reference text not null,
    reason text not null,
    created_at timestamptz not null default now(),
    constraint stock_movements_kind_known check (kind between 1 and 6),
    constraint stock_movements_delta_not_zero check (delta <> 0),
    constraint stock_movements_on_hand_not_negative check (on_hand_after >= 0),
    constraint stock_movements_sign_fits_kind check (
        case
            when kind in (3, 5) then delta < 0
            when kind in (4, 6) then delta > 0
            else true
        end
    )
);

create index stock_movements_by_sku on stock_movements (sku, sequence);

create function stock_movements_are_final() returns trigger
language plpgsql as $$
begin
    raise exception 'stock movements are never changed nor deleted';
end
$$;

create trigger stock_movements_no_change
before update or delete on stock_movements
for each row execute function stock_movements_are_final();

create trigger stock_movements_no_truncate
before truncate on stock_movements
for each statement execute function stock_movements_are_final();

-- One reservation per order, for good.
create table reservations (
    order_id uuid primary key,
    -- 1 held, 2 committed, 3 fulfilled, 4 expired, 5 released, 6 tombstone
    state smallint not null,
    -- held only
    expires_at timestamptz,
    -- SHA-256 of the lines that were asked for; null for a tombstone
    fingerprint bytea,
    -- why it was released; empty otherwise
    reason text not null default '',
    version bigint not null default 1,
    -- how many events there were; the sequence of the last
    events bigint not null default 0,
    created_at timestamptz not null default now(),
    constraint reservations_state_known check (state between 1 and 6),
    constraint reservations_only_holds_expire check ((state = 1) = (expires_at is not null)),
    constraint reservations_tombstones_want_nothing check ((state = 6) = (fingerprint is null))
) with (fillfactor = 70);

-- for the sweeper, and for overdue holds that stand in the way of a sale
create index reservations_holds on reservations (expires_at) where state = 1;

create index reservations_newest on reservations (created_at desc, order_id desc);

create table reservation_lines (
    order_id uuid not null constraint reservation_lines_order references reservations,
    sku text collate "C" not null,
    -- empty: the item's stock was not tracked when it was reserved
    location_id text collate "C" not null,
    quantity bigint not null,
    -- units that have left
    fulfilled bigint not null default 0,
    -- of those, units that came back
    returned bigint not null default 0,
    -- the item's list price when it was reserved
    list_price_minor bigint,
    list_price_currency text,
    primary key (order_id, sku, location_id),
    constraint reservation_lines_quantity_positive check (quantity > 0),
    constraint reservation_lines_shipped_within check (fulfilled between 0 and quantity),
    constraint reservation_lines_returned_within check (returned between 0 and fulfilled),
    constraint reservation_lines_price_is_whole check (
        (list_price_minor is null) = (list_price_currency is null)
    )
) with (fillfactor = 80);

-- who holds this item
create index reservation_lines_by_sku on reservation_lines (sku, order_id);

-- Shipments and returns that were applied: the same id again changes nothing.
create table reservation_applied (
    order_id uuid not null constraint reservation_applied_order references reservations,
    id uuid not null,
    -- 1 fulfillment, 2 return
    kind smallint not null,
    created_at timestamptz not null default now(),
    primary key (order_id, kind, id),
    constraint reservation_applied_kind_known check (kind in (1, 2))
);
