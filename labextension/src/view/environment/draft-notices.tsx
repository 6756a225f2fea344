import * as React from 'react';
import { Link } from '../../components/buttons';
import { NoteBox } from '../../components/note-box';
import type { ITabProps } from './tab-props';
import type { ISpecificationDraft } from './use-specification-draft';

/** What is to know of drafts: there are others, or a build was made since this one began. */
export function DraftNotices(props: ITabProps & { draft: ISpecificationDraft }): React.ReactElement {
  const { trans, item, build, show, draft } = props;
  const { drafts } = draft;
  const edited = drafts.draft;
  const newest = item.newest_build ?? item.current_build;
  const isOlder = edited && item.newest_build_id !== null && edited.base !== item.newest_build_id;
  return (
    <>
      {drafts.others.map(([id, other]) => (
        <NoteBox key={id} row>
          <span>{trans.__('A draft that began with build %1 is kept in this browser.', other.number)}</span>
          <Link id="envstore:open-draft" onClick={() => drafts.open(id)}>
            {trans.__('Open it')}
          </Link>
        </NoteBox>
      ))}
      {isOlder && (
        <NoteBox row>
          <span>
            {newest?.created_by
              ? trans.__('%1 made build %2 while you edited build %3.', newest.created_by, newest.number, edited.number)
              : trans.__('Build %1 was made while you edited build %2.', newest?.number ?? '', edited.number)}
          </span>
          <Link onClick={() => show({ tab: 'builds', compare: [edited.base, item.newest_build_id!] })}>
            {trans.__('Compare')}
          </Link>
          <Link id="envstore:keep-mine" onClick={drafts.keepMine}>
            {trans.__('Keep mine')}
          </Link>
          <Link onClick={draft.discardWithUndo}>{trans.__('Discard my draft')}</Link>
        </NoteBox>
      )}
      {!isOlder && drafts.followedFrom !== null && (
        <NoteBox row>
          <span>{trans.__('Your draft began with build %1. Build %2 is active now.', drafts.followedFrom, build.number)}</span>
          <Link id="envstore:keep-mine" onClick={drafts.keepMine}>
            {trans.__('Keep mine')}
          </Link>
          <Link onClick={draft.discardWithUndo}>{trans.__('Discard my draft')}</Link>
        </NoteBox>
      )}
    </>
  );
}
