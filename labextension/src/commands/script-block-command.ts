import { Notification } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { CommandIDs } from '../command-ids';
import type { NotebookBonds } from '../notebook/notebook-bonds';
import { type CommandContext, NOTHING } from './command-context';

const BLOCK = /^# \/\/\/ script[ \t]*$/m;

/** A command that writes what a notebook's environment was asked for into its first cell, for tools that know PyPI alone. */
export function addScriptBlockCommand(context: CommandContext, bonds: NotebookBonds): void {
  const { model, trans, notebooks } = context;
  const current = (): NotebookPanel | null => notebooks?.currentWidget ?? null;
  const usable = (): boolean => {
    const panel = current();
    return Boolean(panel && bonds.environmentOf(panel) && panel.model?.defaultKernelLanguage === 'python');
  };
  context.add(
    CommandIDs.writeScriptBlock,
    trans.__('Write Script Block for uv (PEP 723)'),
    NOTHING,
    async () => {
      const panel = current();
      const build = panel && (await bonds.buildOf(panel));
      if (!panel || !build) {
        throw new Error(trans.__('The build that the notebook runs in is not known; restart its kernel.'));
      }
      const cell = panel.content.widgets.find(
        (widget): widget is CodeCell => widget.model.type === 'code' && BLOCK.test(widget.model.sharedModel.getSource())
      );
      const before = cell?.model.sharedModel.getSource() ?? '';
      const found = await model.api.scriptBlock(build.id, before);
      if (panel.isDisposed || cell?.isDisposed) {
        return;
      }
      if (cell && cell.model.sharedModel.getSource() !== before) {
        throw new Error(trans.__('The cell with the script block was changed meanwhile; try again'));
      }
      if (cell) {
        cell.model.sharedModel.setSource(found.text);
      } else {
        panel.model?.sharedModel.insertCell(0, { cell_type: 'code', source: found.text, metadata: { jupyter: { source_hidden: true } } });
      }
      const written = trans._n('The notebook asks for %1 package.', 'The notebook asks for %1 packages.', found.dependencies.length);
      if (found.left_out.length) {
        Notification.warning(`${written} ${trans.__('Left out:')} ${found.left_out.join('; ')}`, { autoClose: false });
      } else {
        Notification.success(written, { autoClose: 4000 });
      }
    },
    {
      isEnabled: usable,
      caption: () =>
        usable()
          ? trans.__('The packages that its environment was asked for, for tools that install from PyPI')
          : trans.__('The notebook in front does not use a Python environment of the store')
    }
  );
}
