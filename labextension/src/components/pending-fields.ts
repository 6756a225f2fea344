/** Commit the text of a field, as Enter does; false if that is not possible, and the field says why. */
export type Take = () => boolean | Promise<boolean>;

/**
 * The fields of a view whose text is used only after it was committed, with Enter or a button. Actions commit all
 * fields first, so that nothing that was typed is left out.
 */
export class PendingFields {
  /** Add a field; the returned function removes it. */
  add(take: Take): () => void {
    this._fields.add(take);
    return () => void this._fields.delete(take);
  }

  /** Commit the text of each field; false if a field must ask the user. */
  async commit(): Promise<boolean> {
    for (const take of [...this._fields]) {
      if (!(await take())) {
        return false;
      }
    }
    return true;
  }

  private readonly _fields = new Set<Take>();
}
