const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/;

/** Whether an environment can have a name, as far as its letters tell. */
export function isEnvironmentName(text: string): boolean {
  return NAME.test(text);
}
