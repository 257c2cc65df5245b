import type { Contender } from "./contenders.ts";
import { type Credential, credentialOf, type Member, type Population } from "./population.ts";

export const HEADER = { token: "authorization", api_key: "x-api-key" } as const;

const DEADLINE_MS = 5000;

async function get(
  url: string,
  shows: Credential,
  member?: Pick<Member, "token" | "apiKey">,
): Promise<{ status: number; type: string; body: string }> {
  const response = await fetch(url, {
    headers: member === undefined ? {} : { [HEADER[shows]]: credentialOf(member, shows) },
    signal: AbortSignal.timeout(DEADLINE_MS),
    redirect: "manual",
  });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    body: await response.text(),
  };
}

/**
 * Makes sure that a contender does the work it is measured for. Throws where it does not greet the user of each credential,
 * or, being guarded, answers anything but 401 without a credential or to a forged one.
 */
export async function verifyContender(
  { name, guarded, shows }: Contender,
  url: string,
  population: Population,
): Promise<void> {
  const expect = (what: string, holds: boolean, seen: string) => {
    if (!holds) throw new Error(`${name} is not fit to be measured: ${what}, got ${seen}`);
  };
  const first = population.members[0]!;
  const last = population.members.at(-1)!;
  for (const member of [first, last]) {
    const { status, type, body } = await get(url, shows, member);
    const message = `Hello, ${guarded ? member.username : first.username}!`;
    expect("a credential must be answered with 200", status === 200, String(status));
    expect("the body must be JSON", type.startsWith("application/json"), type);
    expect("the body must greet the user", body === JSON.stringify({ message }), body);
  }
  if (!guarded) return;
  const without = await get(url, shows);
  expect("no credential must be answered with 401", without.status === 401, String(without.status));
  const forged = await get(url, shows, population.forged);
  expect("a forged credential must be answered with 401", forged.status === 401, String(forged.status));
}
