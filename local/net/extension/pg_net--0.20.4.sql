\echo Use "CREATE EXTENSION pg_net" to load this file. \quit

-- Stand-in for pg_net 0.20.4: the same SQL surface, in plain SQL. The requests are sent by the process in
-- local/net/worker.ts, which the transaction of the caller wakes by NOTIFY, hence at commit and never on rollback.

create schema net;

create domain net.http_method as text
  check (lower(value) in ('get', 'post', 'delete'));

-- Unlogged, as the real one: what is queued or answered is gone after a crash or a failover of the server.
create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds integer not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out boolean,
  error_msg text,
  created timestamptz not null default now()
);

create index on net._http_response (created);

create type net.request_status as enum ('PENDING', 'SUCCESS', 'ERROR');

create type net.http_response as (
  status_code integer,
  headers jsonb,
  body text
);

create type net.http_response_result as (
  status net.request_status,
  message text,
  response net.http_response
);

create function net.wake() returns void
language sql
as $$
  select pg_catalog.pg_notify('pg_net', 'wake');
$$;

-- The real one asks for backend_type, which only a background worker can have; the name of the application stands
-- in for it. A backend_type that is NULL means that the caller may not see it, and then the real one, too, says no.
create function net._worker_is_up() returns boolean
language sql
as $$
  select exists (
    select from pg_catalog.pg_stat_activity
    where application_name ~ '^pg_net [0-9.]+$'
      and backend_type is not null
      and datname = pg_catalog.current_database()
  );
$$;

create function net.check_worker_is_up() returns void
language plpgsql
as $$
begin
  if not net._worker_is_up() then
    raise exception using
      message = 'the pg_net background worker is not up',
      detail = 'the pg_net background worker is down due to an internal error and cannot process requests',
      hint = 'make sure that you didn''t modify any of pg_net internal tables';
  end if;
end
$$;
comment on function net.check_worker_is_up() is
  'raises an exception if the pg_net background worker is not up, otherwise it doesn''t return anything';

create function net.wait_until_running() returns void
language plpgsql
as $$
begin
  while not net._worker_is_up() loop
    perform pg_catalog.pg_sleep(0.05);
    -- Within one transaction pg_stat_activity is a snapshot.
    perform pg_catalog.pg_stat_clear_snapshot();
  end loop;
end
$$;
comment on function net.wait_until_running() is 'waits until the worker is running';

-- The real one restarts at once, this one at commit.
create function net.worker_restart() returns boolean
language plpgsql
as $$
begin
  perform pg_catalog.pg_notify('pg_net', 'restart');
  return true;
end
$$;

create function net._urlencode_string(string varchar) returns text
language sql
immutable
strict
as $$
  select coalesce(pg_catalog.string_agg(
    case
      when byte between 48 and 57 or byte between 65 and 90 or byte between 97 and 122 or byte in (45, 46, 95, 126)
        then pg_catalog.chr(byte)
      else '%' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(byte), 2, '0'))
    end,
    '' order by position
  ), '')
  from (
    select position, pg_catalog.get_byte(bytes, position) as byte
    from (select pg_catalog.convert_to(string, 'UTF8') as bytes) as encoded,
      pg_catalog.generate_series(0, pg_catalog.length(bytes) - 1) as position
  ) as each_byte;
$$;

-- What libcurl's URL parser refuses here: no scheme, one that it does not speak, no host, spaces and control
-- characters. A scheme it speaks but the worker does not (ftp://) is refused by the worker, in the response row.
create function net._encode_url_with_params_array(url text, params_array text[]) returns text
language plpgsql
immutable
strict
as $$
declare
  parts text[];
  path text;
  query text;
  param text;
begin
  parts := pg_catalog.regexp_match(url, '^([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)([?][^#]*)?(#.*)?$');
  if url ~ '[\x01-\x20\x7f]'
    or parts is null
    or parts[2] ~ '^([^@]*@)?(:[0-9]*)?$'
    or parts[2] ~ ':[0-9]*[^0-9@\]:][^@\]:]*$'
    or (pg_catalog.regexp_match(parts[2], ':([0-9]+)$'))[1]::numeric > 65535
    or pg_catalog.lower(parts[1]) not in ('http', 'https', 'ftp', 'ftps', 'file', 'ws', 'wss')
  then
    raise exception using
      errcode = 'internal_error',
      message = 'URL using bad/illegal format or missing URL';
  end if;
  path := coalesce(nullif(parts[3], ''), '/');
  query := pg_catalog.substr(parts[4], 2);
  foreach param in array params_array loop
    continue when param is null;
    query := case when coalesce(query, '') = '' then param when query like '%&' then query || param else query || '&' || param end;
  end loop;
  return pg_catalog.lower(parts[1]) || '://' || parts[2] || path || coalesce('?' || query, '') || coalesce(parts[5], '');
end
$$;

create function net._encoded_params(params jsonb) returns text[]
language sql
immutable
as $$
  select coalesce(pg_catalog.array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}')
  from pg_catalog.jsonb_each_text(params);
$$;

create function net._enqueue(
  method text,
  url text,
  params jsonb,
  headers jsonb,
  body jsonb,
  timeout_milliseconds integer
) returns bigint
language plpgsql
as $$
declare
  request_id bigint;
begin
  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    _enqueue.method,
    net._encode_url_with_params_array(_enqueue.url, net._encoded_params(_enqueue.params)),
    _enqueue.headers,
    pg_catalog.convert_to(_enqueue.body::text, 'UTF8'),
    _enqueue.timeout_milliseconds
  )
  returning id into request_id;
  perform net.wake();
  return request_id;
end
$$;

create function net.http_get(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql
as $$
begin
  return net._enqueue('GET', url, params, headers, null, timeout_milliseconds);
end
$$;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds integer default 5000
) returns bigint
language plpgsql
as $$
declare
  content_type text;
begin
  select value into content_type
  from pg_catalog.jsonb_each_text(coalesce(headers, '{}'))
  where pg_catalog.lower(key) = 'content-type'
  limit 1;
  if content_type is null then
    -- Headers that are NULL stay NULL.
    headers := headers || '{"Content-Type": "application/json"}';
  elsif content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  return net._enqueue('POST', url, params, headers, body, timeout_milliseconds);
end
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds integer default 5000,
  body jsonb default null
) returns bigint
language plpgsql
as $$
begin
  return net._enqueue('DELETE', url, params, headers, body, timeout_milliseconds);
end
$$;

create function net._await_response(request_id bigint) returns boolean
language plpgsql
as $$
begin
  while not exists (select from net._http_response where id = request_id) loop
    perform pg_catalog.pg_sleep(0.05);
  end loop;
  return true;
end
$$;

create function net._http_collect_response(
  request_id bigint,
  async boolean default true
) returns net.http_response_result
language plpgsql
as $$
declare
  found_response net._http_response;
begin
  if not async then
    perform net._await_response(request_id);
  end if;
  select * into found_response from net._http_response where id = request_id;
  -- A request that waits cannot be told from one that never was: the real one never answers PENDING either.
  if found_response is null or found_response.error_msg is not null then
    return (
      'ERROR',
      coalesce(found_response.error_msg, 'request matching request_id not found'),
      null
    )::net.http_response_result;
  end if;
  return (
    'SUCCESS',
    'ok',
    (found_response.status_code, found_response.headers, found_response.content)::net.http_response
  )::net.http_response_result;
end
$$;

-- Deprecated, and in the real 0.20.4 it only ever fails: its body selects without a destination.
create function net.http_collect_response(
  request_id bigint,
  async boolean default true
) returns net.http_response_result
language plpgsql
as $$
begin
  raise notice 'The net.http_collect_response function is deprecated.';
  raise exception using
    errcode = 'syntax_error',
    message = 'query has no destination for result data',
    hint = 'If you want to discard the results of a SELECT, use PERFORM instead.';
end
$$;

-- Since 0.12: every role that can run SQL may enqueue, and may read what all others sent and got.
grant usage on schema net to public;
grant all on all sequences in schema net to public;
grant all on all tables in schema net to public;
