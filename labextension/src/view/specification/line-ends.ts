/** Return a text with the line ends that the editor has; it counts places in others wrongly. */
export function withUnixLineEnds(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}
