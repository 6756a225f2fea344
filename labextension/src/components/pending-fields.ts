/** Take what is typed in a field, as Enter there would; false where it cannot be: the field says what to do. */
export type Take = () => boolean | Promise<boolean>;

/**
 * The fields of a view whose text counts only once it was taken: with Enter, or a button beside it. Whatever acts on what
 * was taken asks them first, so that nothing typed is left out without a word.
 */
export class PendingFields {
  /** Ask a field from now on; the answer ends that. */
  add(take: Take): () => void {
    this._fields.add(take);
    return () => void this._fields.delete(take);
  }

  /** Have each field take what is typed in it; false where one must ask. */
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
