/** Compare versions by their numbers; what is no number comes last. */
export function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true });
}
