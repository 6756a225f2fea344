/** Finds items that did not change, so that views need not render them again. */
export class UnchangedItems<T extends { readonly id: number }> {
  /** Replace each item that did not change by the object that is known. */
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
