import { useTypedText } from '../../components/field-hooks';
import { mayBuildWithout } from '../shared/waiting-changes';
import type { IStaged } from './staged-changes';
import type { ITabProps } from './tab-props';
import type { IStagedProps } from './use-package-changes';

/** Return a function that lists what waits in the tab *Packages*: text in its fields, and staged changes. */
export function useLeftInPackages(staged: IStaged): () => string[] {
  const texts = [useTypedText('package'), useTypedText('version')];
  return () => [
    ...texts.map(text => text().trim()).filter(Boolean),
    ...staged.add.map(spec => `+ ${spec}`),
    ...staged.remove.map(spec => `− ${spec}`)
  ];
}

/**
 * Return a function that asks before the specification is built without what the tab *Packages* still has. It returns
 * false if the user wants to look at that first.
 */
export function useAskAboutPackages(props: ITabProps & IStagedProps): () => Promise<boolean> {
  const { trans, show, staged } = props;
  const left = useLeftInPackages(staged);
  return async () => {
    const may = await mayBuildWithout(left(), true, trans);
    if (!may) {
      show({ tab: 'packages', focus: 'add-package' });
    }
    return may;
  };
}
