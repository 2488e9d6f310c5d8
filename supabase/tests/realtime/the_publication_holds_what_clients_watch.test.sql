begin;
select plan(4);
select results_eq(
  $$ select format('%s.%s', schemaname, tablename) collate "default" from pg_publication_tables where pubname = 'supabase_realtime' order by 1 $$,
  $$ values ('public.notifications'), ('public.recordings'), ('public.video_calls') $$,
  'clients can watch their notifications, recordings and calls, and nothing else');
select results_eq(
  $$ select pubinsert, pubupdate, pubdelete, puballtables from pg_publication where pubname = 'supabase_realtime' $$,
  $$ values (true, true, true, false) $$, 'every kind of change');
select is_empty(
  $$ select c.oid::regclass from pg_publication_tables p join pg_class c on c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
     where p.pubname = 'supabase_realtime' and not c.relrowsecurity $$, 'under row level security');
select is_empty(
  $$ select c.oid::regclass from pg_publication_tables p join pg_class c on c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
     where p.pubname = 'supabase_realtime'
       and not exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'p') $$, 'each with a key by which a change is told');
select * from finish();
rollback;
