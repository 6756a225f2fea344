import { Notification } from '@jupyterlab/apputils';

/** Put text into the clipboard and say so. */
export async function copy(text: string, words: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement('textarea'); // a page without TLS has no clipboard of its own
    area.value = text;
    area.setAttribute('readonly', '');
    area.style.position = 'fixed';
    area.style.opacity = '0';
    document.body.appendChild(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  Notification.emit(words, 'default', { autoClose: 3000 });
}
