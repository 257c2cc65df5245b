import { routeGuards } from "../pipeline/route-guards.ts";

/**
 * Who may change what somebody signs in with: a person who has signed in within ten minutes, so that a session left
 * open, or stolen later, is no way to keep an account (ASVS V7.5.1).
 */
export const freshPeople = routeGuards.requireFresh("10m");
