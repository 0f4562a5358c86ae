-- Two accounts for one office: :owner owns the tables and migrates, :office works with them and can
-- neither take away the triggers of the audit log nor change its rows. Run as an administrator in the
-- office's database, after the first `zhitong migrate` and after each upgrade.
SELECT format('CREATE ROLE %I LOGIN', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'owner') \gexec
SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), :'owner') \gexec
ALTER SCHEMA public OWNER TO :"owner";
SELECT format('ALTER TABLE public.%I OWNER TO %I', tablename, :'owner')
FROM pg_tables WHERE schemaname = 'public' \gexec
ALTER FUNCTION public.zhitong_audit_refuse() OWNER TO :"owner";
GRANT USAGE ON SCHEMA public TO :"office";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"office";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"office";
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO :"office";
REVOKE UPDATE, DELETE ON public.audit, public.audit_seals FROM :"office";
-- The auditor seals, and locks the newest seal while it does.
GRANT UPDATE (seal) ON public.audit TO :"office";
GRANT UPDATE (at) ON public.audit_seals TO :"office";
