/**
 * Every value of a cookie in a `Cookie` header (RFC 6265 section 4.2.1), in order. Values are taken as they stand:
 * nothing is decoded or unquoted, so that one text has one meaning.
 */
export function cookieValues(header: string, name: string): readonly string[] {
  const values: string[] = [];
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon < 0 ? header.length : semicolon;
    const equals = header.indexOf("=", start);
    if (equals >= 0 && equals < end && header.slice(start, equals).trim() === name) {
      values.push(header.slice(equals + 1, end).trim());
    }
    start = end + 1;
  }
  return values;
}
