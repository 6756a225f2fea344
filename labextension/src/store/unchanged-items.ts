/** Finds items that say the same as before, so that views need not draw them again. */
export class UnchangedItems<T extends { readonly id: number }> {
  /** Put the known object in place of each item that says the same. */
  reuse(items: T[], before: readonly T[]): void {
    const texts = new Map<number, string>();
    const known = new Map(before.map(item => [item.id, item]));
    items.forEach((item, place) => {
      const text = JSON.stringify(item);
      texts.set(item.id, text);
      const old = known.get(item.id);
      if (old && this._texts.get(item.id) === text) {
        items[place] = old;
      }
    });
    this._texts = texts;
  }

  private _texts = new Map<number, string>();
}
