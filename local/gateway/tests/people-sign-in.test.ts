import { AuthSessionMissingError } from "@supabase/supabase-js";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LocalProject, localProject, tokenFor } from "./local-project.ts";

const password = "correct-horse-battery";
const seeded = "11111111-1111-4111-8111-111111111111";
let project: LocalProject;

beforeAll(async () => {
  // The seed is one that a hosted project takes as well: Auth there reads the token columns as texts, never as null.
  project = await localProject(`
    create table public.profiles (user_id uuid primary key references auth.users (id) on delete cascade);
    grant select on public.profiles to authenticated;
    insert into auth.users (
      instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data, raw_user_meta_data,
      created_at, updated_at, confirmation_token, recovery_token, email_change, email_change_token_new
    ) values (
      '00000000-0000-0000-0000-000000000000', '${seeded}', 'authenticated', 'authenticated', 'mentor@example.com',
      extensions.crypt('${password}', extensions.gen_salt('bf')), now(),
      '{"provider":"email","providers":["email"]}', '{"name":"Mentor"}', now(), now(), '', '', '', ''
    );
    insert into auth.identities (id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
    values (
      gen_random_uuid(), '${seeded}', '${seeded}', '{"sub":"${seeded}","email":"mentor@example.com"}', 'email',
      now(), now(), now()
    );
    insert into public.profiles values ('${seeded}');`);
});
afterAll(() => project.stop());

describe("A new person", () => {
  const email = "mentee@example.com";
  test("signs up and is signed in at once, with hosted's claims in the token", async () => {
    const { data, error } = await project
      .client()
      .auth.signUp({ email, password, options: { data: { name: "Mentee" } } });
    expect(error).toBeNull();
    expect(decodeJwt(data.session?.access_token ?? "")).toMatchObject({
      iss: `${project.url}/auth/v1`,
      aud: "authenticated",
      role: "authenticated",
      sub: data.user?.id,
      email,
      phone: "",
      app_metadata: { provider: "email", providers: ["email"] },
      user_metadata: { name: "Mentee" },
      aal: "aal1",
      amr: [{ method: "password" }],
      session_id: expect.any(String),
      is_anonymous: false,
    });
  });
  test("cannot sign up twice, nor with a short password", async () => {
    const again = await project.client().auth.signUp({ email, password });
    expect([again.error?.status, again.error?.code]).toEqual([422, "user_already_exists"]);
    const short = await project.client().auth.signUp({ email: "x@example.com", password: "12345" });
    expect([short.error?.status, short.error?.code]).toEqual([422, "weak_password"]);
  });
});

describe("A person made by SQL", () => {
  test("signs in, is known to getUser and to the database, refreshes, and signs out", async () => {
    const client = project.client();
    const signIn = await client.auth.signInWithPassword({ email: "mentor@example.com", password });
    expect(signIn.error).toBeNull();
    expect(signIn.data.user?.user_metadata).toMatchObject({ name: "Mentor" });
    expect((await client.auth.getUser()).data.user?.id).toBe(seeded);
    expect((await client.auth.getClaims()).data?.claims.sub).toBe(seeded);
    expect((await client.from("profiles").select()).data).toEqual([{ user_id: seeded }]);

    const refreshed = await client.auth.refreshSession();
    expect(refreshed.error).toBeNull();
    expect(refreshed.data.session?.refresh_token).not.toBe(signIn.data.session?.refresh_token);
    expect(decodeJwt(refreshed.data.session?.access_token ?? "").user_metadata).toMatchObject({
      name: "Mentor",
    });

    expect((await client.auth.signOut()).error).toBeNull();
    const token = refreshed.data.session?.access_token;
    expect((await client.auth.getUser(token)).error).toBeInstanceOf(AuthSessionMissingError);
  });
  test("does not sign in with a wrong password", async () => {
    const { error } = await project
      .client()
      .auth.signInWithPassword({ email: "mentor@example.com", password: "wrong-password" });
    expect(error).toMatchObject({
      status: 400,
      code: "invalid_credentials",
      message: "Invalid login credentials",
    });
  });
  test("is gone with all that refers to it", async () => {
    await project.sql`delete from auth.users where id = ${seeded}`;
    expect(await project.sql`select from public.profiles`).toHaveLength(0);
    expect(await project.sql`select from auth.identities where user_id = ${seeded}`).toHaveLength(0);
  });
});

describe("A token that Auth did not sign or whose session never was", () => {
  test("is refused by getUser", async () => {
    const forged = await tokenFor({ sub: seeded }, { secret: "another-secret-of-32-characters!!" });
    const { error } = await project.client().auth.getUser(forged);
    expect([error?.status, error?.code]).toEqual([403, "bad_jwt"]);
  });
});

describe("A trigger on auth.users", () => {
  test("runs with the Auth server's rights only, as hosted runs it", async () => {
    await project.admin.unsafe(`
      create table public.seen (id uuid);
      create function public.on_user() returns trigger language plpgsql as
        $$ begin insert into public.seen values (new.id); return new; end $$;
      create trigger on_user after insert on auth.users for each row execute function public.on_user();`);
    const { error } = await project.client().auth.signUp({ email: "late@example.com", password });
    expect(error).toMatchObject({ name: "AuthRetryableFetchError", status: 500 });
    await project.admin`alter function public.on_user() security definer`;
    expect((await project.client().auth.signUp({ email: "late@example.com", password })).error).toBeNull();
  });
});
