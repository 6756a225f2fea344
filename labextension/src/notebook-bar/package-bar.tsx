import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { TextButton } from '../components/buttons';
import { openActions } from '../components/menus';
import type { ICandidate, IOffer, IPackageWork, MissingPackage } from '../notebook/missing-package';
import { difference, listed } from '../presentation/package-words';
import { whole } from '../store/accessors';
import { Busy, Failed, NotebookBar } from './notebook-bar';

interface IBarProps {
  missing: MissingPackage;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

type Of<K> = IBarProps & { found: Extract<IOffer, { kind: K }> };

/** A bar above the cells of a notebook that offers the package whose module could not be imported. */
export function packageBar(props: IBarProps): NotebookBar {
  const { work } = props.missing;
  return new NotebookBar(work, props.trans.__('Missing package'), props.trans, () => <Content {...props} found={work.state} />);
}

function Content(props: IBarProps & { found: IPackageWork }): React.ReactElement | null {
  const { missing, trans, found } = props;
  switch (found.kind) {
    case 'offer':
      return <Offer {...props} found={found} />;
    case 'there':
      return <There {...props} found={found} />;
    case 'preview':
      return <Preview {...props} found={found} />;
    case 'ready':
      return <Ready {...props} found={found} />;
    case 'busy':
      return <Busy found={found} label={trans.__('Adding a package')} cancel={() => missing.work.cancel()} trans={trans} />;
    case 'failed':
      return <Failed found={found} words={trans.__('The package could not be added.')} back={() => missing.goBack()} trans={trans} />;
    default:
      return null;
  }
}

/** Packages that could be added. */
function Offer(props: Of<'offer'>): React.ReactElement {
  const { missing, trans, commands, found } = props;
  const { need, candidates, place, target } = found;
  const [first, ...others] = candidates;
  const isCopy = target !== null && whole(target) !== whole(place);
  const label = (candidate: ICandidate) =>
    isCopy ? trans.__('Add %1 in a Copy, %2', candidate.label, whole(target)) : trans.__('Add %1 to %2', candidate.label, whole(place));
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>
          {'module' in need
            ? trans.__('%1 has no module %2.', whole(place), need.module)
            : trans.__('Nothing can be installed from inside of %1, which is made from a lock.', whole(place))}
        </span>
        <span className="jp-EnvStore-sub">
          {first && 'module' in need ? reason(first, need.module, trans) : first ? '' : trans.__('No package is known that has it.')}
          {!target && ' ' + trans.__('You may not change this environment.')}
        </span>
      </div>
      {first && target && (
        <TextButton id="envstore:add-missing" primary onClick={() => missing.preview(found, first)}>
          {label(first)}
        </TextButton>
      )}
      {others.length > 0 && target && (
        <button
          type="button"
          className="jp-EnvStore-textButton jp-mod-styled jp-mod-reject"
          data-testid="envstore:other-package"
          aria-haspopup="menu"
          onClick={event =>
            openActions(
              others.map(candidate => ({ label: label(candidate), run: () => missing.preview(found, candidate) })),
              event.currentTarget
            )
          }
        >
          {trans.__('Another Package ▾')}
        </button>
      )}
      {!first && !isCopy && target && commands.hasCommand(CommandIDs.addPackage) && (
        <TextButton id="envstore:search-package" onClick={() => commands.execute(CommandIDs.addPackage, { ...place })}>
          {trans.__('Search for a Package…')}
        </TextButton>
      )}
    </>
  );
}

/** The active build has the package already. */
function There(props: Of<'there'>): React.ReactElement {
  const { missing, trans, found } = props;
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>{trans.__('%1 is in build %2 of %3, but the kernel runs in another build.', found.candidate.label, found.number, whole(found.place))}</span>
        <span className="jp-EnvStore-sub">{lost(trans)}</span>
      </div>
      <TextButton id="envstore:restart-missing" primary onClick={() => missing.restart(found)}>
        {trans.__('Restart Kernel in Build %1', found.number)}
      </TextButton>
    </>
  );
}

/** What adding a package would change. */
function Preview(props: Of<'preview'>): React.ReactElement {
  const { missing, trans, found } = props;
  const { candidate, target, changes } = found;
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>{trans.__('Add %1 to %2', candidate.label, whole(target))}</span>
        <span className="jp-EnvStore-sub" title={changes?.map(change => `${change.name} ${change.from ?? ''} → ${change.to ?? ''}`).join('\n')}>
          {changes ? `${difference(changes, trans)}. ${lost(trans)}` : trans.__('Finding out what it changes…')}
        </span>
      </div>
      {changes && (
        <TextButton id="envstore:build-missing" primary onClick={() => missing.add(found)}>
          {trans.__('Build and Restart Kernel')}
        </TextButton>
      )}
      <TextButton id="envstore:package-back" onClick={() => missing.goBack()}>
        {trans.__('Back')}
      </TextButton>
    </>
  );
}

/** The kernel has the package now. */
function Ready(props: Of<'ready'>): React.ReactElement {
  const { missing, trans, commands, found } = props;
  const { content } = missing.panel;
  const run = async () => {
    const place = content.widgets.findIndex(cell => cell.model.id === found.cell);
    if (place >= 0) {
      content.activeCellIndex = place;
      content.deselectAll();
      await commands.execute('notebook:run-cell');
    }
    missing.work.dismiss();
  };
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>{trans.__('%1 is in %2 now, and the kernel has started again.', found.candidate.label, whole(found.place))}</span>
      </div>
      <TextButton id="envstore:run-again" primary onClick={run}>
        {trans.__('Run Cell Again')}
      </TextButton>
    </>
  );
}

/** Say how it is known that a package has a module. */
function reason(candidate: ICandidate, module: string, trans: TranslationBundle): string {
  const { label, places } = candidate;
  switch (candidate.reason) {
    case 'contents':
      return trans.__('%1 contains it, as in %2.', label, listed(places, trans));
    case 'known':
      return trans.__('%1 is known to have it. No environment here has it yet.', label);
    case 'convention':
      return trans.__('Packages of R are called so in conda channels: %1.', label);
    case 'name':
      return trans.__('%1 has the same name; whether it contains %2 is not known.', label, module);
    default:
      return '';
  }
}

function lost(trans: TranslationBundle): string {
  return trans.__('The kernel starts again: its variables are lost.');
}
