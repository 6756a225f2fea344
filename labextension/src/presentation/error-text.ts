/** Return the beginning of an error message, for a row. */
export function clause(reason: string): string {
  const line = reason.split('\n')[0]!.trim().replace(/:$/, '');
  return line.length > 90 ? `${line.slice(0, 88)}…` : line;
}
/** Split an error message: the solver's tree of conflicting packages, and the text before and after it. */
export function withTree(message: string): { before: string; tree: string; after: string } {
  const lines = message.split('\n');
  const isBranch = (line: string) => /^[│ ]*[├└]/.test(line);
  const begin = lines.findIndex(isBranch);
  if (begin < 0) {
    return { before: message, tree: '', after: '' };
  }
  const end = lines.length - [...lines].reverse().findIndex(isBranch);
  const parts = [lines.slice(0, begin), lines.slice(begin, end), lines.slice(end)].map(part => part.join('\n'));
  return { before: parts[0]!, tree: parts[1]!, after: parts[2]! };
}
