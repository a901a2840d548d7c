-- Run once, by the owner of the database, when it is made: the role that site, workers and schedule use. It reads and writes
-- rows, and can neither change a table nor switch off the triggers that keep the audit trail append-only.
\set ON_ERROR_STOP on
\getenv password AEGIS_DB_PASSWORD
CREATE ROLE aegis_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO aegis_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO aegis_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO aegis_app;
