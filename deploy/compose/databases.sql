-- One database a service, made when the volume is made. Tables are the work of each
-- service's `migrate`.
create database orders;
create database payments;
create database inventory;
