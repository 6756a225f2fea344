import * as React from 'react';
import { TextButton } from '../../components/buttons';
import { chooseFile } from '../../lab/file-chooser';
import type { IImport } from './imported-file';

/** A button that reads a file which the user chooses. */
export function ReadFileButton(props: { id: string; imported: IImport; children: React.ReactNode }): React.ReactElement {
  const read = async () => {
    const file = await chooseFile();
    if (file) {
      await props.imported.readFile(file);
    }
  };
  return (
    <TextButton id={props.id} onClick={read}>
      {props.children}
    </TextButton>
  );
}

/** Read a file that is dropped; other things are left to the page. */
export function readDropped(event: React.DragEvent, imported: IImport): void {
  const file = event.dataTransfer.files[0];
  if (file) {
    event.preventDefault();
    event.stopPropagation();
    void imported.readFile(file);
  }
}
