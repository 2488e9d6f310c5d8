import postgres from "postgres";

/** After a connection that broke in the middle of a query, the driver's `end` never settles without a limit. */
const END_SECONDS = 2;

/**
 * Opens one session, lets `act` use it, and closes it whatever happens.
 *
 * @param onnotice what to do with notices; default: nothing.
 */
export async function withSession<Result>(
  url: string,
  act: (sql: postgres.Sql) => Promise<Result>,
  onnotice: (notice: postgres.Notice) => void = () => undefined,
): Promise<Result> {
  const sql = postgres(url, { max: 1, onnotice });
  try {
    return await act(sql);
  } finally {
    await sql.end({ timeout: END_SECONDS });
  }
}
