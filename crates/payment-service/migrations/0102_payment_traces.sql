-- The trace in which a payment was begun, as W3C writes it: what the provider
-- tells later, and what is found out about it, belongs there. Null where it is
-- not known, as with payments from before.
alter table payments add column traceparent text;
