import * as React from 'react';
import { useCommitPending } from '../../components/field-hooks';
import type { ISolved } from '../../store/types';
import { isChanged, type IStaged, withChange, withoutChange } from './staged-changes';
import type { ITabProps } from './tab-props';

/** The staged changes, which the view keeps while its tabs change. */
export interface IStagedProps {
  staged: IStaged;
  setStaged: React.Dispatch<React.SetStateAction<IStaged>>;
}

/** The changes of packages that are staged for the next build, and what can be done with them. */
export interface IPackageChanges {
  /** How many there are. */
  count: number;
  /** Whether one of them is that the date of the build is ignored. */
  liftsDate: boolean;
  /** The date from which packages are left out of a build of them. */
  excludeNewer: string | null;
  /** What a build of them would install, or why that cannot be found out; null before it was looked for. */
  preview: { solved?: ISolved; error?: Error } | null;
  /** Add and remove packages; an earlier change of the same package is dropped. */
  stage: (add: string[], remove: string[]) => void;
  /** Drop one change. */
  takeBack: (spec: string) => void;
  /** Use or ignore the date of the build. */
  takeNewer: (takesNewer: boolean) => void;
  discard: () => void;
  /** Find out what a build would install, perhaps with the channels' indexes as they were read last. */
  look: (withLastIndex?: boolean) => Promise<void>;
  /** Build the specification with the changes. */
  make: () => Promise<void>;
  /** Whether there is a change at this moment, though the view may not be drawn with it yet. */
  isChangedNow: () => boolean;
}

/** Stage changes of packages, preview them and build them. */
export function usePackageChanges(props: ITabProps & IStagedProps): IPackageChanges {
  const { model, build, place, show, staged, setStaged } = props;
  const commitPending = useCommitPending();
  const [preview, setPreview] = React.useState<IPackageChanges['preview']>(null);
  const text = build.specification?.text ?? '';
  const excludeNewer = staged.takesNewer ? null : (build.exclude_newer ?? null);
  const latest = React.useRef(staged); // what is staged a moment before a build must be in it
  latest.current = staged;
  React.useEffect(() => setPreview(null), [build.id]); // it was of changes to another build
  const put = ({ begun = { id: build.id, number: build.number }, ...changes }: IStaged) => {
    const next = isChanged(changes) ? { ...changes, begun } : changes;
    latest.current = next;
    setPreview(null); // it was of other changes
    setStaged(next);
  };
  const edited = () => model.api.edit(text, latest.current.add, latest.current.remove);
  const liftsDate = staged.takesNewer === true && Boolean(build.exclude_newer);
  return {
    count: staged.add.length + staged.remove.length + Number(liftsDate),
    liftsDate,
    excludeNewer,
    preview,
    stage: (add, remove) => put(withChange(latest.current, add, remove)),
    takeBack: spec => put(withoutChange(latest.current, spec)),
    takeNewer: takesNewer => put({ ...latest.current, takesNewer }),
    discard: () => put({ add: [], remove: [] }),
    look: async (lastIndex = false) => {
      if (!(await commitPending())) {
        return;
      }
      try {
        setPreview({ solved: await model.api.solve(await edited(), place, { lastIndex, excludeNewer }) });
      } catch (error) {
        setPreview({ error: error as Error });
      }
    },
    make: async () => {
      if (!(await commitPending())) {
        return;
      }
      try {
        const made = await model.api.submit(await edited(), place.namespace, place.name, undefined, excludeNewer);
        model.watch(made.build);
        show({ tab: 'artifacts', build: made.build, isNew: true });
        put({ add: [], remove: [] });
        void model.refresh();
      } catch (error) {
        setPreview({ error: error as Error });
      }
    },
    isChangedNow: () => isChanged(latest.current)
  };
}
