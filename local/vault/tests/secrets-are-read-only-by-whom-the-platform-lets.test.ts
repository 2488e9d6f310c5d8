import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestServer, type TestDatabase, type TestServer } from "../../postgres/testing.ts";

let server: TestServer;
let database: TestDatabase;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  sql = postgres(database.postgresUrl, { max: 1 });
  return async () => {
    await sql.end();
    await database.drop();
  };
});

async function as(role: string, statement: string) {
  await sql.unsafe(`set role ${role}`);
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.unsafe("reset role");
  }
}

const refusal = { code: "42501" };

test("postgres and service_role store, change and read secrets", async () => {
  for (const role of ["postgres", "service_role"]) {
    const [created] = await as(role, `select vault.create_secret('ä secret', '${role}', 'what for') as id`);
    expect(await as(role, `select * from vault.decrypted_secrets where name = '${role}'`)).toMatchObject([
      { id: created?.id, decrypted_secret: "ä secret", description: "what for", key_id: null },
    ]);
    await as(role, `select vault.update_secret('${created?.id}', 'another')`);
    expect(await as(role, `select * from vault.decrypted_secrets where name = '${role}'`)).toMatchObject([
      { decrypted_secret: "another", description: "what for" },
    ]);
  }
});

test("an update changes only what it is given, and nothing for an unknown id", async () => {
  const [row] = await sql`select vault.create_secret('text', 'name', 'why') as id`;
  await sql`select vault.update_secret(${row?.id}::uuid, new_description => 'because')`;
  await sql`select vault.update_secret(gen_random_uuid(), 'lost', 'lost')`;
  expect(await sql`select name, description, decrypted_secret from vault.decrypted_secrets`).toMatchObject([
    { name: "name", description: "because", decrypted_secret: "text" },
  ]);
});

test("a second secret of the same name is a unique violation; secrets without a name are many", async () => {
  await sql`select vault.create_secret('one', 'name')`;
  await expect(sql`select vault.create_secret('two', 'name')`).rejects.toMatchObject({
    code: "23505",
    constraint_name: "secrets_name_idx",
  });
  await sql`select vault.create_secret('a'), vault.create_secret('b')`;
  expect(await sql`select from vault.secrets where name is null`).toHaveLength(2);
});

test.each(["anon", "authenticated"])("%s gets nothing at all", async (role) => {
  await sql`select vault.create_secret('secret', 'name')`;
  for (const statement of [
    "select * from vault.secrets",
    "select * from vault.decrypted_secrets",
    "select vault.create_secret('mine')",
    "select vault.update_secret(gen_random_uuid(), 'mine')",
  ]) {
    await expect(as(role, statement)).rejects.toMatchObject(refusal);
  }
});

test("nobody but the platform writes the table directly or encrypts by hand", async () => {
  for (const role of ["postgres", "service_role"]) {
    await expect(as(role, "insert into vault.secrets (secret) values ('plain')")).rejects.toMatchObject(
      refusal,
    );
    await expect(as(role, "update vault.secrets set secret = 'plain'")).rejects.toMatchObject(refusal);
    await expect(as(role, "select vault._key('encrypt')")).rejects.toMatchObject(refusal);
    await expect(
      as(role, "select vault._crypto_aead_det_encrypt('a'::bytea, 'b'::bytea, 0, nonce => 'c'::bytea)"),
    ).rejects.toMatchObject(refusal);
    await expect(as(role, "select pg_read_file('vault_root.key')")).rejects.toMatchObject(refusal);
  }
});

test("the table holds no plain text, and equal secrets look different", async () => {
  await sql`select vault.create_secret('the plain text', 'a'), vault.create_secret('the plain text', 'b')`;
  const rows = await sql<{ secret: string }[]>`select secret from vault.secrets`;
  expect(new Set(rows.map((row) => row.secret)).size).toBe(2);
  for (const { secret } of rows)
    expect(Buffer.from(secret, "base64").toString("latin1")).not.toContain("plain");
});

test("a sealed secret that was altered, or moved to another row, is refused", async () => {
  const admin = postgres(database.adminUrl, { max: 1 });
  const [row] = await sql`select vault.create_secret('one', 'a') as id, vault.create_secret('two', 'b')`;
  await admin`update vault.secrets set (secret, nonce) = (select secret, nonce from vault.secrets where name = 'b') where name = 'a'`;
  const read = () => sql`select decrypted_secret from vault.decrypted_secrets where id = ${row?.id}`;
  await expect(read()).rejects.toThrow("vault: invalid ciphertext");
  await sql`select vault.update_secret(${row?.id}::uuid, 'three')`;
  expect(await read()).toMatchObject([{ decrypted_secret: "three" }]);
  await admin`update vault.secrets set secret = encode(set_byte(decode(secret, 'base64'), 40, 0), 'base64')`;
  await expect(read()).rejects.toThrow("vault: invalid ciphertext");
  await admin.end();
});
