/** A text as a QR code (ISO/IEC 18004) in a `data:` URL: an SVG that a page shows in an `img`. */
export async function qrCode(text: string): Promise<string> {
  // Loaded here alone: only who enrols an authenticator app waits for it.
  const [{ generate }, { toSvgDataURL }] = await Promise.all([
    import("lean-qr"),
    import("lean-qr/extras/svg"),
  ]);
  return toSvgDataURL(generate(text), { on: "black", off: "white" });
}
