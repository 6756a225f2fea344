import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import { CommandIDs } from '../command-ids';
import { TextButton } from '../components/buttons';
import { type Action, openActions } from '../components/menus';
import type { Elsewhere, IRecovery, NotebookRecovery } from '../notebook/notebook-recovery';
import { shortAddress, size } from '../presentation/formats';
import { difference, listed } from '../presentation/package-words';
import type { IBondState, IElsewhere } from '../store/types';
import { Busy, Failed, NotebookBar } from './notebook-bar';

interface IBarProps {
  recovery: NotebookRecovery;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/** A bar above the cells of a notebook that says what became of its environment, and brings it back. */
export function recoveryBar(props: IBarProps): NotebookBar {
  const { work } = props.recovery;
  return new NotebookBar(work, props.trans.__('Environment of this notebook'), props.trans, () => <Content {...props} found={work.state} />);
}

/** Ask whether packages may be downloaded from addresses that the store's settings do not name. */
export async function confirmPlaces(places: readonly string[], trans: TranslationBundle): Promise<boolean> {
  const list = document.createElement('ul');
  for (const place of places) {
    list.appendChild(document.createElement('li')).textContent = place;
  }
  const body = document.createElement('div');
  body.append(trans.__('What you are about to build takes packages from addresses that the settings of this store do not name:'), list);
  const answer = await showDialog({
    title: trans.__('Download packages from these addresses?'),
    body: new Widget({ node: body }),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Download') })]
  });
  return answer.button.accept;
}

function Content(props: IBarProps & { found: IRecovery }): React.ReactElement | null {
  const { recovery, trans, found } = props;
  switch (found.kind) {
    case 'missing':
      return <Missing {...props} found={found} />;
    case 'moved':
      return <Moved {...props} found={found} />;
    case 'busy':
      return <Busy found={found} label={trans.__('Bringing the environment back')} cancel={() => recovery.work.cancel()} trans={trans} />;
    case 'failed':
      return (
        <Failed found={found} words={trans.__('The environment could not be brought back.')} back={() => recovery.goBack()} trans={trans}>
          <TextButton id="envstore:choose-kernel" onClick={() => props.commands.execute('notebook:change-kernel')}>
            {trans.__('Choose Kernel…')}
          </TextButton>
        </Failed>
      );
    default:
      return null;
  }
}

/** A kernel that is not here. */
function Missing(props: IBarProps & { found: Extract<IRecovery, { kind: 'missing' }> }): React.ReactElement {
  const { recovery, trans, found } = props;
  const { state, beside } = found;
  const here = state?.builds[0];
  const lock = state?.lock && !state.lock.refused ? state.lock : null;
  const other = usable(found.elsewhere);
  const bringBack = !state
    ? null
    : here
      ? () => recovery.use(here)
      : state.deleted
        ? null
        : lock
          ? () => recovery.useLock(state)
          : other
            ? () => recovery.useElsewhere(state, other.store)
            : null;
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>
          {trans.__('This notebook was written in')} <b>{found.name}</b>
          {trans.__(', build %1. Its kernel is not here.', found.number)}
        </span>
        <span className="jp-EnvStore-sub">{state ? source(state, found.elsewhere, trans) : trans.__('Looking for it…')}</span>
      </div>
      {bringBack && (
        <TextButton id="envstore:bring-back" primary onClick={bringBack}>
          {trans.__('Bring It Back')}
        </TextButton>
      )}
      {state?.deleted && (
        <TextButton id="envstore:undelete" primary onClick={() => recovery.undelete(state)}>
          {trans.__('Undo Its Deletion')}
        </TextButton>
      )}
      {state && beside && (
        <TextButton id="envstore:build-beside" primary title={beside} onClick={() => recovery.useFile(state, beside)}>
          {trans.__('Build from %1', beside.slice(beside.lastIndexOf('/') + 1))}
        </TextButton>
      )}
      {state?.asked && !here && !state.deleted && (
        <TextButton id="envstore:use-asked" primary={!bringBack && !beside} title={trans.__('It was built from exactly what the notebook asked for')} onClick={() => recovery.use(state.asked!)}>
          {trans.__('Use %1', `${state.asked.namespace}/${state.asked.environment}`)}
        </TextButton>
      )}
      {state?.specification && !here && (
        <TextButton id="envstore:build-requests" primary={!bringBack && !beside && !state.deleted && !state.asked} title={requestsTitle(state, trans)} onClick={() => recovery.useRequests(state)}>
          {trans.__('Build from What It Asked For')}
        </TextButton>
      )}
      {state && <ChooseAnother {...props} state={state} />}
    </>
  );
}

/** A kernel that runs in another build than the notebook was written in. */
function Moved(props: IBarProps & { found: Extract<IRecovery, { kind: 'moved' }> }): React.ReactElement {
  const { recovery, trans, commands, found } = props;
  const { state, running, changes } = found;
  const { bond } = state;
  const here = state.builds[0];
  const lock = state.lock && !state.lock.refused ? state.lock : null;
  const other = usable(found.elsewhere);
  const isSame = here?.namespace === bond.namespace && here.environment === bond.environment;
  return (
    <>
      <div className="jp-EnvStore-barText" role="status">
        <span>
          {trans.__('Written in build %1 of', bond.build)} <b>{`${bond.namespace}/${bond.environment}`}</b>
          {here || running.number !== bond.build
            ? trans.__('; its kernel runs in build %1.', running.number)
            : trans.__('; its kernel runs in another build of this number.')}
        </span>
        <span className="jp-EnvStore-sub">{here ? difference(changes, trans) : source(state, found.elsewhere, trans)}</span>
      </div>
      {here ? (
        <TextButton id="envstore:use-build" primary onClick={() => recovery.use(here)}>
          {isSame ? trans.__('Use Build %1', here.number) : trans.__('Use %1', `${here.namespace}/${here.environment}`)}
        </TextButton>
      ) : lock ? (
        <TextButton id="envstore:bring-back" primary onClick={() => recovery.useLock(state)}>
          {trans.__('Bring It Back')}
        </TextButton>
      ) : other ? (
        <TextButton id="envstore:bring-back" primary onClick={() => recovery.useElsewhere(state, other.store)}>
          {trans.__('Bring It Back')}
        </TextButton>
      ) : null}
      <TextButton id="envstore:move-on" onClick={() => recovery.moveOn()}>
        {trans.__('Move to Build %1', running.number)}
      </TextButton>
      {here && commands.hasCommand(CommandIDs.compare) && (
        <TextButton
          id="envstore:compare"
          onClick={() =>
            commands.execute(CommandIDs.compare, {
              namespace: bond.namespace,
              name: bond.environment,
              compare: [here.build_id, running.id]
            })
          }
        >
          {trans.__('Compare')}
        </TextButton>
      )}
    </>
  );
}

/** A menu of the environments that could be used instead, those that satisfy most first. */
function ChooseAnother(props: IBarProps & { state: IBondState }): React.ReactElement {
  const { recovery, trans, commands, state } = props;
  const open = (button: Element) => {
    const fitting = state.fitting.map(
      (item): Action => ({
        label: item.unmet.length
          ? trans.__('%1 (without %2)', `${item.namespace}/${item.name}`, listed(item.unmet, trans))
          : trans.__('%1 (has all that it asked for)', `${item.namespace}/${item.name}`),
        run: () => recovery.useEnvironment(item)
      })
    );
    const other: Action = { label: trans.__('Other Kernel…'), run: () => commands.execute('notebook:change-kernel') };
    openActions(fitting.length ? [...fitting, null, other] : [other], button);
  };
  return (
    <button
      type="button"
      className="jp-EnvStore-textButton jp-mod-styled jp-mod-reject"
      data-testid="envstore:choose-another"
      aria-haspopup="menu"
      onClick={event => open(event.currentTarget)}
    >
      {trans.__('Choose Another ▾')}
    </button>
  );
}

/** Say from where the environment can be brought back, or why it cannot. */
function source(state: IBondState, elsewhere: Elsewhere | undefined, trans: TranslationBundle): string {
  const here = state.builds[0];
  const { lock } = state;
  if (here) {
    const name = `${here.namespace}/${here.environment}`;
    return here.packed_away
      ? trans.__('This store has it as build %1 of %2, packed away.', here.number, name)
      : trans.__('This store has it as build %1 of %2.', here.number, name);
  }
  if (state.deleted) {
    return trans.__('It was deleted a few minutes ago.');
  }
  const place = `${state.namespace}/${state.environment}`;
  if (lock && !lock.refused) {
    return trans.__('From the lock in the notebook, as %1: %2.', place, contents(lock, trans));
  }
  const other = usable(elsewhere);
  if (other) {
    return trans.__('From the store at %1, as %2: %3.', shortAddress(other.store), place, contents(other.lock, trans));
  }
  const { store } = state.bond;
  const where = store ? ' ' + trans.__('It was written with the store at %1 (jupyter envstore login %2).', shortAddress(store), store) : '';
  const why = lock
    ? trans.__('The lock in the notebook cannot be used: %1', lock.refused)
    : trans.__('This store does not have the build, and the notebook does not contain its lock.') + where;
  const left = state.bond.left_out ?? 0;
  const lines = left && state.specification ? [trans._n('%1 line of what it asked for is not in the notebook.', '%1 lines of what it asked for are not in the notebook.', left)] : [];
  return [why, ...lines, ...otherStores(elsewhere, trans)].join(' ');
}

/** Say what stores elsewhere answered that do not help. */
function otherStores(elsewhere: Elsewhere | undefined, trans: TranslationBundle): string[] {
  if (elsewhere === 'asked') {
    return [trans.__('Asking the other stores that you are logged in to…')];
  }
  const found = elsewhere?.found;
  return [
    ...(found ? [trans.__('The store at %1 has it, but its lock cannot be used: %2', shortAddress(found.store), found.lock.refused)] : []),
    ...(elsewhere?.failed ?? []).map(({ store, reason }) => (store ? trans.__('Not found in %1: %2.', shortAddress(store), reason) : reason))
  ];
}

/** Return the build of a store elsewhere that can be made here; null where there is none. */
function usable(elsewhere: Elsewhere | undefined): NonNullable<IElsewhere['found']> | null {
  const found = elsewhere === 'asked' ? null : elsewhere?.found;
  return found && !found.lock.refused ? found : null;
}

/** Say what a lock brings. */
function contents(lock: NonNullable<IBondState['lock']>, trans: TranslationBundle): string {
  const download = lock.size ? trans.__('%1 to download', size(lock.size)) : trans.__('nothing to download');
  const rebuilt = lock.sources.length ? trans.__('; built from source again: %1', listed(lock.sources, trans)) : '';
  return trans.__('%1 packages, %2', lock.packages, download) + rebuilt;
}

function requestsTitle(state: IBondState, trans: TranslationBundle): string {
  const asked = [...state.bond.packages, ...state.bond.pip];
  const left = state.bond.left_out ? '\n' + trans.__('%1 lines are not in the notebook.', state.bond.left_out) : '';
  return trans.__('Find the newest packages for: %1', asked.join(', ')) + left;
}
