/** What several variables take and refuse alike. */
export const ON_OFF = {
  accepted: [
    ["on", true],
    ["off", false],
  ],
  refused: ["true", "false", "1", "0", "yes", "no", "On", "OFF", "on off", "enabled"],
} as const;

export const DURATION = {
  accepted: [
    ["1s", 1000],
    ["15m", 900_000],
    ["2h", 7_200_000],
    ["366d", 31_622_400_000],
  ],
  refused: [
    "0",
    "0s",
    "15",
    "-1h",
    "1.5h",
    "2H",
    "1w",
    "2 h",
    "367d",
    "999999999d",
    "1h30m",
    "Infinity",
    "١h",
  ],
} as const;
