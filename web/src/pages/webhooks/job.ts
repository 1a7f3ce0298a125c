// The states of webhook jobs, and a range of time to send again.
import type { Mark, Row } from '../../lib/records';

export const marks: Record<string, Mark> = {
  pending: { text: 'Pending', tone: 'accent' },
  processing: { text: 'Sending', tone: 'accent' },
  done: { text: 'Done', tone: 'good' },
  failed: { text: 'Failed, retries', tone: 'warn' },
  dead: { text: 'Dead', tone: 'bad' },
};

/** Nothing more becomes of it by itself soon. */
export const over = (row: Row): boolean => row.state === 'done' || row.state === 'dead' || row.state === 'failed';

/** The arguments of resend_failed, or what is wrong with the range. */
export function range(from: string, to: string): { args: { from?: string; to?: string }; problem: string } {
  const args: { from?: string; to?: string } = {};
  const moments = [from, to].map((t) => (t ? new Date(t) : null));
  if (moments.some((m) => m && Number.isNaN(m.getTime()))) return { args, problem: 'Choose a day and a time' };
  const [begin, end] = moments;
  if (begin && end && begin >= end) return { args, problem: 'The end must be after the beginning' };
  if (begin) args.from = `${begin.toISOString().slice(0, 19)}Z`;
  if (end) args.to = `${end.toISOString().slice(0, 19)}Z`;
  return { args, problem: '' };
}
