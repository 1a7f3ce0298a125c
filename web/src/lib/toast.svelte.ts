import { explain } from './api';

export type Tone = 'good' | 'bad' | 'warn' | 'info';

export interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

export const toasts = $state<Toast[]>([]);
let next = 1;

/** Shows a message for some seconds; errors stay longer. */
export function toast(text: string, tone: Tone = 'good'): void {
  const id = next++;
  toasts.push({ id, tone, text });
  if (toasts.length > 4) toasts.shift();
  setTimeout(() => dismiss(id), tone === 'bad' ? 10_000 : 5000);
}

export function dismiss(id: number): void {
  const i = toasts.findIndex((t) => t.id === id);
  if (i >= 0) toasts.splice(i, 1);
}

/** Shows an error that was caught. */
export function toastError(error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  toast(explain(error), 'bad');
}
