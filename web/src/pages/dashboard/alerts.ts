// When the dashboard raises its voice: once for a storm, not once per drop.

export interface Alert {
  kind: 'rate' | 'fault';
  text: string;
  /** Whether the sound goes with it. */
  sound: boolean;
}

/** The share of failed requests, in percent, beyond which people are told. */
export const tooMany = 10;
const calm = 8; // below this it is over, and the next time is worth a word again
const quiet = 15_000; // milliseconds between two messages of 5xx
const quietRate = 60_000;

export class Alerts {
  private over = false;
  private lastRate = -Infinity;
  private lastFault = -Infinity;
  private held = 0;

  /** The error rate in percent, each time that it is known. */
  rate(percent: number | null, now: number): Alert | null {
    if (percent === null) return null;
    if (percent < calm) this.over = false;
    if (percent <= tooMany || this.over || now - this.lastRate < quietRate) return null;
    this.over = true;
    this.lastRate = now;
    return { kind: 'rate', text: `${percent.toFixed(1)} % of the requests fail`, sound: false };
  }

  /** Server errors that have come; what names the last of them. */
  serverErrors(count: number, what: string, now: number): Alert | null {
    if (count <= 0) return null;
    if (now - this.lastFault < quiet) {
      this.held += count;
      return null;
    }
    const all = count + this.held;
    this.held = 0;
    this.lastFault = now;
    const last = what ? `: ${what}` : '';
    return { kind: 'fault', text: all === 1 ? `Server error${last}` : `${all} server errors${last ? `, last${last}` : ''}`, sound: true };
  }
}
