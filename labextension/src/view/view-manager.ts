import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { CodeEditor, CodeEditorWrapper, type IEditorServices } from '@jupyterlab/codeeditor';
import { URLExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import { CommandIDs } from '../command-ids';
import { envstoreIcon } from '../icons';
import type { EnvStoreModel } from '../store/model';
import type { IPlace } from '../store/types';
import { ConfirmingArea } from './confirm-close';
import type { CreateView } from './create/create-view';
import { loadNewDraft } from './create/new-environment-draft';
import type { EnvironmentView } from './environment/environment-view';
import type { IShow, IStart, IViews } from './shared/view-types';
import { mayBuildWithout } from './shared/waiting-changes';
import { ChannelCompleter } from './specification/package-completer';

/** Opens the views in the main area, one for each environment, and restores them with the layout. */
export class ViewManager implements IViews {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly model: EnvStoreModel,
    private readonly trans: TranslationBundle,
    private readonly editors: IEditorServices
  ) {
    this.completer = new ChannelCompleter(model.api);
  }

  /** Restore the views that were open. */
  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this.tracker, {
      command: CommandIDs.open,
      args: widget => ({ ...placeOf(widget), tab: widget.content.last.tab ?? null }),
      name: widget => widget.id
    });
    void restorer.restore(this.creating, {
      command: CommandIDs.create,
      args: widget => ({ restored: widget.content.key }),
      name: widget => widget.id
    });
  }

  async open(place: IPlace, show: IShow = {}): Promise<void> {
    if (this.elsewhere(`${place.namespace}/${place.name}`)) {
      return;
    }
    const id = viewId(place);
    const { EnvironmentView } = await import('./environment/environment-view'); // with the editor: not needed to show the sidebar
    let widget = this.tracker.find(found => found.id === id);
    if (!widget) {
      const content = new EnvironmentView({
        model: this.model,
        commands: this.app.commands,
        trans: this.trans,
        editors: this.editors,
        completer: this.completer,
        place
      });
      content.last = show;
      const made = content;
      content.turned.connect(() => {
        const shown = this.tracker.find(found => found.content === made);
        if (shown) {
          void this.tracker.save(shown);
        }
      });
      // eslint-disable-next-line @jupyter/require-disposable-ownership -- the shell owns it from here on
      widget = new MainAreaWidget({ content });
      widget.id = id;
      widget.toolbar.hide();
      widget.title.label = place.name;
      widget.title.caption = `${place.namespace}/${place.name}`;
      widget.title.icon = envstoreIcon;
      widget.title.closable = true;
      this.app.shell.add(widget, 'main', { type: 'Environment' });
      void this.tracker.add(widget);
      this.app.shell.activateById(widget.id);
      return;
    }
    this.app.shell.activateById(widget.id); // before something in it gets the focus, which needs it in sight
    if (Object.values(show).some(value => value !== undefined)) {
      widget.content.turnTo(show);
    }
  }

  async mayBuild(place: IPlace): Promise<boolean> {
    const widget = this.tracker.find(found => found.id === viewId(place));
    const may = !widget || (await mayBuildWithout(widget.content.waiting(), false, this.trans));
    if (!may) {
      await this.open(place, { tab: 'packages', focus: 'add-package' });
    }
    return may;
  }

  async create(start: IStart = {}): Promise<void> {
    if (this.elsewhere('new')) {
      return;
    }
    if (start.restored !== undefined && !loadNewDraft(start.restored)) {
      return; // nothing was written there
    }
    const { CreateView } = await import('./create/create-view');
    const brings = start.text !== undefined || start.name !== undefined;
    // what was typed in one is not overwritten by what another begins with
    const found = this.creating.filter(open => start.restored === undefined && !(brings && open.content.isTouched())).pop();
    if (found) {
      this.app.shell.activateById(found.id); // before a field in it gets the focus, which needs it in sight
      found.content.start(start);
      return;
    }
    const content = new CreateView(
      {
        model: this.model,
        commands: this.app.commands,
        trans: this.trans,
        editors: this.editors,
        completer: this.completer
      },
      start.restored ?? UUID.uuid4()
    );
    content.last = start;
    const widget = new ConfirmingArea({ content });
    widget.id = `envstore:new-environment:${content.key}`;
    widget.toolbar.hide();
    widget.title.label = this.trans.__('New environment');
    widget.title.icon = envstoreIcon;
    widget.title.closable = true;
    this.app.shell.add(widget, 'main', { type: 'Environment' });
    void this.creating.add(widget);
    this.app.shell.activateById(widget.id);
  }

  /** Open JupyterLab in another browser tab, from pages that have no main area for views: Notebook 7. */
  private elsewhere(what: string): boolean {
    if (this.app.name !== 'Jupyter Notebook') {
      return false;
    }
    const base = this.app.serviceManager.serverSettings.baseUrl;
    window.open(`${URLExt.join(base, 'lab')}?envstore=${encodeURIComponent(what)}`, '_blank', 'noopener');
    return true;
  }

  text(title: string, text: string, kind: string, key: string): void {
    const id = `envstore:text:${key}`;
    const open = Array.from(this.app.shell.widgets('main')).find(widget => widget.id === id);
    if (open) {
      this.app.shell.activateById(id);
      return;
    }
    const model = new CodeEditor.Model({ mimeType: MIME_TYPES[kind] ?? 'text/x-yaml' });
    model.sharedModel.setSource(text);
    const content = new CodeEditorWrapper({
      model,
      factory: this.editors.factoryService.newDocumentEditor,
      editorOptions: { config: { readOnly: true, lineNumbers: true } }
    });
    const widget = new MainAreaWidget({ content });
    widget.id = id;
    widget.title.label = title;
    widget.title.icon = envstoreIcon;
    widget.title.closable = true;
    widget.toolbar.hide();
    this.app.shell.add(widget, 'main', { mode: 'split-right', type: 'Environment' });
    this.app.shell.activateById(widget.id);
  }

  readonly tracker = new WidgetTracker<MainAreaWidget<EnvironmentView>>({ namespace: 'jupyter-envstore-views' });
  private readonly completer: ChannelCompleter;
  private readonly creating = new WidgetTracker<MainAreaWidget<CreateView>>({ namespace: 'jupyter-envstore-new' });
}

/** What texts of artifacts are, for the editor that shows them; others are YAML. */
const MIME_TYPES: Readonly<Record<string, string>> = {
  explicit: 'text/plain',
  pylock: 'text/x-toml',
  requirements: 'text/plain',
  sbom: 'application/json'
};

/** Return the id of the view of an environment. */
function viewId(place: IPlace): string {
  return `envstore:environment:${place.namespace}/${place.name}`;
}

function placeOf(widget: MainAreaWidget): { namespace: string; name: string } {
  const [namespace = '', name = ''] = widget.title.caption.split('/');
  return { namespace, name };
}
