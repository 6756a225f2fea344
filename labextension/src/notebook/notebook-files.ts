import type { Contents } from '@jupyterlab/services';
import type { IFiles } from './notebook-recovery';

/** Lockfiles of conda-lock: with a name of their own, or that of a notebook or environment before it. */
const LOCKFILE = /^(?:(.+)[.-])?conda-lock\.ya?ml$/;

/** The files beside a notebook, read from the server whose file browser shows it. */
export class NotebookFiles implements IFiles {
  constructor(private readonly contents: Contents.IManager) {}

  /** Return the path of the lockfile that lies beside a file: the one with its name before any other. */
  async lockfileBeside(path: string): Promise<string | null> {
    const cut = path.lastIndexOf('/');
    const stem = path.slice(cut + 1).replace(/\.ipynb$/, '');
    let beside: Contents.IModel[];
    try {
      beside = (await this.contents.get(path.slice(0, Math.max(cut, 0)), { content: true })).content;
    } catch {
      return null; // a drive without folders, or one that may not be listed
    }
    const names = beside.filter(item => item.type === 'file' && LOCKFILE.test(item.name)).map(item => item.name);
    const own = names.find(name => LOCKFILE.exec(name)![1] === stem);
    const plain = names.find(name => !LOCKFILE.exec(name)![1]);
    const name = own ?? plain;
    return name ? path.slice(0, cut + 1) + name : null;
  }

  /** Return the text of a file. */
  async text(path: string): Promise<string> {
    return (await this.contents.get(path, { content: true, type: 'file', format: 'text' })).content;
  }
}
