// Questions before what cannot be undone. The shell shows them; whoever asks waits.

export interface Question {
  title: string;
  text: string;
  /** What the button says: "Revoke the key". */
  action: string;
  /** A word that has to be typed first: for the gravest only. */
  typed?: string;
  harmless?: boolean;
  /** Asks for a note too. */
  note?: string;
}

export const asked = $state<{ question: Question | null }>({ question: null });
let answer: (value: string | null) => void = () => {};

/** The answer: null for no, else the note (which may be empty). */
export function askNote(question: Question): Promise<string | null> {
  answer(null);
  asked.question = question;
  return new Promise((resolve) => (answer = resolve));
}

export const ask = async (question: Question): Promise<boolean> => (await askNote(question)) !== null;

export function settle(value: string | null): void {
  asked.question = null;
  answer(value);
  answer = () => {};
}
