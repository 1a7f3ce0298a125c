// Secrets that are shown once: held in this page's memory and nowhere else,
// for a day at most, and gone when the page is left.

export interface Secret {
  title: string;
  /** What there is to keep, in the order in which it is shown. */
  parts: { label: string; value: string }[];
  /** A line to try it with. */
  curl?: string;
  note?: string;
}

export const lifetime = 24 * 60 * 60 * 1000;

/** Holds one secret; current is null when there is none or its time is over. */
export class OneTime {
  current = $state.raw<Secret | null>(null);
  /** That the day is over, and the secret with it. */
  expired = $state(false);
  private until = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  show(secret: Secret): void {
    this.clear();
    this.current = secret;
    this.until = Date.now() + lifetime;
    this.timer = setTimeout(() => this.check(), lifetime);
  }

  /** A sleeping computer stops timers, so whoever wakes up looks at the clock. */
  check(): void {
    if (this.current && Date.now() >= this.until) {
      this.clear();
      this.expired = true;
    }
  }

  clear(): void {
    clearTimeout(this.timer);
    this.current = null;
    this.expired = false;
  }
}
