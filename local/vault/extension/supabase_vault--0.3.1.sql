-- Stand-in for supabase_vault 0.3.1 with the real one's objects, signatures, owner and grants.
--
-- What is different: the real one seals with libsodium in C. Here a secret is sealed with pgcrypto: AES-256-CBC
-- under the row's nonce, then HMAC-SHA-256 over row id, nonce and ciphertext, so that a changed ciphertext or one
-- moved to another row is refused and not decrypted to something else.
-- What is the same: the root key is no row of any table. It stands in the file vault_root.key of the server's data
-- directory (made with the cluster, readable by superusers only), so a dump or a copy of vault.secrets tells nothing.
-- Whoever may read vault.decrypted_secrets reads every secret: that is what the view is for, here as there.

\echo Use "create extension supabase_vault" to load this file. \quit

create table vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default current_timestamp,
  updated_at timestamptz not null default current_timestamp
);
create unique index secrets_name_idx on vault.secrets (name) where name is not null;
comment on table vault.secrets is 'Secrets, encrypted; `secret` is base64 of the sealed text.';
select pg_catalog.pg_extension_config_dump('vault.secrets', '');

create function vault._key(purpose text) returns bytea
language plpgsql stable
set search_path = ''
as $$
declare
  root text := pg_catalog.pg_read_file('vault_root.key', true);
begin
  if root is null then
    raise exception 'vault: the server has no root key (vault_root.key in its data directory)'
      using errcode = 'config_file_error';
  end if;
  -- Two keys out of one, so that encryption and authentication never share theirs.
  return @extschema:pgcrypto@.hmac(
    pg_catalog.convert_to(purpose, 'utf8'), pg_catalog.decode(pg_catalog.btrim(root), 'hex'), 'sha256');
end
$$;

create function vault._crypto_aead_det_noncegen() returns bytea
language sql volatile
set search_path = ''
as $$ select @extschema:pgcrypto@.gen_random_bytes(16) $$;

create function vault._crypto_aead_det_encrypt(
  message bytea, additional bytea, key_id bigint, context bytea = 'pgsodium', nonce bytea = null
) returns bytea
language plpgsql stable
set search_path = ''
as $$
declare
  sealed bytea := @extschema:pgcrypto@.encrypt_iv(message, vault._key('encrypt'), nonce, 'aes-cbc/pad:pkcs');
begin
  return @extschema:pgcrypto@.hmac(additional || nonce || sealed, vault._key('authenticate'), 'sha256') || sealed;
end
$$;

-- SECURITY DEFINER because a view checks its functions against the caller, who may not read the key file.
create function vault._crypto_aead_det_decrypt(
  message bytea, additional bytea, key_id bigint, context bytea = 'pgsodium', nonce bytea = null
) returns bytea
language plpgsql stable security definer
set search_path = ''
as $$
declare
  seal bytea := pg_catalog.substr(message, 1, 32);
  sealed bytea := pg_catalog.substr(message, 33);
begin
  if seal is distinct from
     @extschema:pgcrypto@.hmac(additional || nonce || sealed, vault._key('authenticate'), 'sha256')
  then
    raise exception 'vault: invalid ciphertext';
  end if;
  return @extschema:pgcrypto@.decrypt_iv(sealed, vault._key('encrypt'), nonce, 'aes-cbc/pad:pkcs');
end
$$;

create view vault.decrypted_secrets as
select
  s.id, s.name, s.description, s.secret,
  convert_from(
    vault._crypto_aead_det_decrypt(
      message => decode(s.secret, 'base64'), additional => convert_to(s.id::text, 'utf8'),
      key_id => 0, context => 'pgsodium'::bytea, nonce => s.nonce),
    'utf8') as decrypted_secret,
  s.key_id, s.nonce, s.created_at, s.updated_at
from vault.secrets s;
comment on view vault.decrypted_secrets is 'Secrets with their plain text; decrypted when read, never stored.';

create function vault.create_secret(
  new_secret text, new_name text = null, new_description text = '', new_key_id uuid = null
) returns uuid
language plpgsql security definer
set search_path = ''
as $$
declare
  new_id uuid := pg_catalog.gen_random_uuid();
  new_nonce bytea := vault._crypto_aead_det_noncegen();
begin
  insert into vault.secrets (id, secret, name, description, nonce)
  values (
    new_id,
    pg_catalog.encode(
      vault._crypto_aead_det_encrypt(
        message => pg_catalog.convert_to(new_secret, 'utf8'),
        additional => pg_catalog.convert_to(new_id::text, 'utf8'), key_id => 0, nonce => new_nonce),
      'base64'),
    new_name, new_description, new_nonce);
  return new_id;
end
$$;
comment on function vault.create_secret(text, text, text, uuid) is
  'Stores a secret and returns its id. A name that is taken is a unique violation (23505). new_key_id is unused.';

-- As in the real one, null means "leave as it is" and an unknown id changes nothing.
create function vault.update_secret(
  secret_id uuid, new_secret text = null, new_name text = null, new_description text = null, new_key_id uuid = null
) returns void
language plpgsql security definer
set search_path = ''
as $$
declare
  new_nonce bytea := vault._crypto_aead_det_noncegen();
begin
  update vault.secrets as s
  set
    secret = case when new_secret is null then s.secret else
      pg_catalog.encode(
        vault._crypto_aead_det_encrypt(
          message => pg_catalog.convert_to(new_secret, 'utf8'),
          additional => pg_catalog.convert_to(s.id::text, 'utf8'), key_id => 0, nonce => new_nonce),
        'base64') end,
    nonce = case when new_secret is null then s.nonce else new_nonce end,
    name = coalesce(new_name, s.name),
    description = coalesce(new_description, s.description),
    updated_at = pg_catalog.now()
  where s.id = secret_id;
end
$$;
comment on function vault.update_secret(uuid, text, text, text, uuid) is
  'Changes what is not null of a secret. An unknown id changes nothing.';

revoke all on schema vault from public;
revoke all on all tables in schema vault from public;
revoke all on all functions in schema vault from public;

-- The platform's grants: read and delete, but write only through the functions. The roles may be missing elsewhere.
do $grants$
begin
  if exists (select from pg_roles where rolname = 'postgres') then
    grant usage on schema vault to postgres with grant option;
    grant select, delete, truncate, references on vault.secrets, vault.decrypted_secrets
      to postgres with grant option;
    grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
      to postgres with grant option;
  end if;
  if exists (select from pg_roles where rolname = 'service_role') then
    grant usage on schema vault to service_role;
    grant select, delete on vault.secrets, vault.decrypted_secrets to service_role;
    grant execute on function vault.create_secret, vault.update_secret, vault._crypto_aead_det_decrypt
      to service_role;
  end if;
end
$grants$;
