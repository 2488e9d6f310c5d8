begin;
select plan(25);
select tests.people();
create function pg_temp.red() returns void language sql as $$ update recorder.unverified_events set last_at = clock_timestamp() $$;
create function pg_temp.green() returns void language sql as $$ update recorder.unverified_events set last_at = '-infinity' $$;
create function pg_temp.calm() returns void language sql as $$ update recorder.alerts set calm_at = calm_at - interval '60 seconds' $$;
create function pg_temp.alert(p_state text) returns jsonb language sql as $$
  select j.payload from recorder.jobs j where j.kind = 'alert' and j.state = p_state and j.payload ->> 'rule' = 'webhooks_unverified' $$;
-- Only one rule: nothing else in this test may be ill.
update recorder.alert_rules set is_enabled = rule = 'webhooks_unverified';

-- The sweep evaluates, whoever sweeps.
select pg_temp.red();
select recorder.sweep();
select is((select state from recorder.alerts), 'firing', 'a sweep finds it');
select is(pg_temp.alert('queued') ->> 'state', 'firing', 'and writes the job that tells of it');
select matches(pg_temp.alert('queued') ->> 'explanation', 'AGORA_WEBHOOK_SECRET is not set', 'with the words of recorder.health');
select is((select recording_id from recorder.jobs where kind = 'alert'), null, 'which concerns no recording');

-- Nobody took it before it was over: it is told once, as over.
select pg_temp.green();
select recorder.sweep();
select pg_temp.calm();
select recorder.sweep();
select is((select count(*) from recorder.jobs where kind = 'alert')::integer, 1, 'what was not told yet is one message');
select is(pg_temp.alert('queued') ->> 'state', 'resolved', 'about its end');
select isnt(pg_temp.alert('queued') ->> 'fired_at', null, 'which says when it began');

-- While one is being told, the next waits for it.
select pg_temp.red();
select recorder.sweep();
update recorder.jobs set state = 'done', finished_at = now() where kind = 'alert' and payload ->> 'state' = 'resolved';
create temporary table job as select tests.claim('notify') -> 0 as job;
select is((select job #>> '{payload,state}' from job), 'firing', 'a worker tells that it fires again');
select pg_temp.green();
select recorder.sweep();
select pg_temp.calm();
select recorder.sweep();
select is(tests.claim('notify'), '[]', 'meanwhile it ends: nobody else tells of it before');
select tests.finish((select job from job), 'done');
select is(tests.claim('notify') #>> '{0,payload,state}', 'resolved', 'then its end is told');

-- One that flickers is one alert.
select pg_temp.red(); select recorder.sweep();
select pg_temp.green(); select recorder.sweep();
select pg_temp.red(); select recorder.sweep();
select is((select calm_at from recorder.alerts where state = 'firing'), null, 'red again before it was calm for a minute');
select is((select count(*) from recorder.alerts)::integer, 3, 'is the same alert');

-- Given up: a dead job, and the alert stands all the same.
select tests.finish(j, 'give_up') from jsonb_array_elements(tests.claim('notify')) j;
select is((select count(*) from recorder.dead_jobs where kind = 'alert')::integer, 1, 'a message that nobody took is a dead job');
select is((select count(*) from recorder.alerts where state = 'firing')::integer, 1, 'the alert stands');

-- Switched off.
update recorder.alert_rules set is_enabled = false;
select recorder.sweep(); select pg_temp.calm(); select recorder.sweep();
select is((select count(*) from recorder.alerts where state <> 'resolved')::integer, 0, 'a rule that was switched off ends');

-- A rule that cannot be asked is red and costs nobody a sweep.
insert into recorder.alert_rules (rule, severity, condition, for_seconds, message, runbook)
values ('broken', 'warning', 'check_nothing', 0, 'Nothing.', '#alert-broken');
select is(recorder.sweep() ? 'woken_lanes', true, 'the sweep goes on');
select matches((select explanation from recorder.alerts where rule = 'broken'), '^This cannot be checked: .*check_nothing', 'a rule that cannot be asked fires');
select throws_ok($$ insert into recorder.alert_rules (rule, severity, condition, for_seconds, message, runbook)
  values ('evil', 'warning', 'check_x(); drop table x', 0, 'x', '#x') $$, '23514', null, 'and is a name, never a statement');

-- In the portal.
select tests.act_as('mentor');
select is_empty('select * from public.list_alerts()', 'a person sees none');
select is(public.is_portal_administrator(), false, 'and is told so');
select tests.act_as_recorder_admin();
select recorder.name_portal_administrator(tests.person('mentor'));
select throws_ok($$ select recorder.name_portal_administrator(gen_random_uuid()) $$, 'RC308', null, 'only somebody who is there can be named');
select throws_ok($$ select recorder.set_secret_expiry('sk-live 0123', now()) $$, 'RC502', null, 'a secret itself is not taken for its name');
select tests.act_as('mentor');
select results_eq('select rule, state from public.list_alerts() limit 1', $$ values ('broken', 'firing') $$, 'one who was named sees what fires, first');
select tests.act_as_recorder_admin();
select recorder.name_portal_administrator(tests.person('mentor'), false);
select tests.act_as('mentor');
select is_empty('select * from public.list_alerts()', 'until that ends');
select tests.act_as_administrator();
update recorder.alerts set resolved_at = now() - interval '91 days' where state = 'resolved';
select recorder.evaluate_alerts();
select is((select count(*) from recorder.alerts)::integer, 1, 'what is long over is cleaned');
select * from finish();
rollback;
