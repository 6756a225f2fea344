/** Return a text with `\n` as line ends, which the editor needs to count positions. */
export function withUnixLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
