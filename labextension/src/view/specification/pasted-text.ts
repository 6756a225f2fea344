/** The first line of a TOML file: a table, or a key that YAML does not have. */
const TOML = /^\s*(?:#[^\n]*\n\s*)*(?:\[\[?[\w."' -]+\]\]?[ \t]*(?:#[^\n]*)?(?:\n|$)|"?\$?[\w.-]+"?\s*=\s*["'[{])/;
const SCRIPT = /^# \/\/\/ script[ \t]*$/m;
const EXPLICIT = /^@EXPLICIT[ \t]*$/m;
const KEY = (name: string) => new RegExp(`^"?${name}"?:`, 'm');
const REQUIREMENT = /^(?:[A-Za-z0-9][\w.-]*\s*(?:\[[\w,. -]*\])?\s*(?:[<>=!~;@].*)?|-{1,2}[a-z].*|#.*)$/;

/**
 * Whether a text that is pasted is a file of another tool, or a lockfile, which has to be read as an imported one is.
 *
 * A list of requirements counts only where it is all that there is: its lines could be part of a specification.
 */
export function needsImport(text: string, whole: boolean): boolean {
  const plain = text.replace(/\r\n?/g, '\n');
  if (TOML.test(plain) || SCRIPT.test(plain) || EXPLICIT.test(plain)) {
    return true;
  }
  const has = (...names: string[]) => names.every(name => KEY(name).test(plain));
  if (has('metadata', 'package') || has('environments', 'packages')) {
    return true;
  }
  const lines = plain.split('\n').filter(line => line.trim());
  return whole && lines.length > 1 && lines.every(line => REQUIREMENT.test(line.trim()) && !/^\s*- /.test(line));
}
