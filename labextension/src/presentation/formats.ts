import type { TranslationBundle } from '@jupyterlab/translation';

/** Return the place of a build that waits: `1st in line`. */
export function inLine(place: number, trans: TranslationBundle): string {
  const words = { one: trans.__('%1st in line', place), two: trans.__('%1nd in line', place), few: trans.__('%1rd in line', place) };
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(place);
  return rule in words ? words[rule as keyof typeof words] : trans.__('%1th in line', place);
}
/** Return how long ago a moment (UTC, without a zone) was, in one short word. */
export function age(moment: string | null, now: Date, trans: TranslationBundle): string {
  if (!moment) {
    return '';
  }
  const seconds = Math.max(0, (now.getTime() - new Date(`${moment}Z`).getTime()) / 1000);
  if (seconds < 60) {
    return trans.__('now');
  }
  if (seconds < 3600) {
    return trans.__('%1 min', Math.floor(seconds / 60));
  }
  if (seconds < 86400) {
    return trans.__('%1 h', Math.floor(seconds / 3600));
  }
  if (seconds < 365 * 86400) {
    return trans.__('%1 d', Math.floor(seconds / 86400));
  }
  return trans.__('%1 y', Math.floor(seconds / (365 * 86400)));
}
/** Return how long ago a moment was, for a sentence. */
export function ago(moment: string | null, now: Date, trans: TranslationBundle): string {
  const words = age(moment, now, trans);
  return words === trans.__('now') ? words : trans.__('%1 ago', words);
}
/** Return the address of a store as people name it: without the scheme, and without the path that all stores end with. */
export function shortAddress(url: string): string {
  return url.replace(/^https?:\/\//, '').replace(/\/$/, '').replace(/\/envstore$/, '');
}
/** Return bytes for people. */
export function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let power = 0;
  let value = bytes;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
/** Return a moment (UTC, without a zone) as people here write it, with the zone. */
export function moment(text: string | null): string {
  return text
    ? new Date(`${text}Z`).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
    : '';
}
/** Return the day of a moment (UTC, with or without `Z`) as people here write it. */
export function day(text: string | null): string {
  return text ? new Date(text.endsWith('Z') ? text : `${text}Z`).toLocaleDateString() : '';
}
/** Return seconds for people. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) {
    return '';
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  if (seconds < 60) {
    return `${Math.round(seconds)} s`;
  }
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')} min`;
}
