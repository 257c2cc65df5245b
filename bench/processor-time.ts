import { readFile } from "node:fs/promises";

/** Linux reports process times in these (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Fields of proc_pid_stat(5) from the third on: the second may hold spaces; what follows its parenthesis does not. */
async function fieldsOf(pid: number): Promise<readonly string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

/** Processor time a process has used so far, all its threads together, in seconds; `NaN` off Linux. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = await fieldsOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time of the children of this process that have ended, in seconds; `NaN` off Linux. */
export async function endedChildrenCpuSeconds(): Promise<number> {
  const fields = await fieldsOf(process.pid);
  return (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND;
}
