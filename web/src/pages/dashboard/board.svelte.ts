// The state of the dashboard: what was read, what comes live, and when to read
// again. The page shows it.
import { explain, list, type Domain } from '../../lib/api';
import { toast } from '../../lib/toast.svelte';
import { lineFields, model, type LogRecord } from '../../lib/traffic/record';
import { statusDomain } from '../../lib/traffic/filter';
import { Alerts, type Alert } from './alerts';
import { fits, joinFaults, mergeFault, mergeTick, OwnTraffic, pollDelay, type Fault, type Message, type Tick } from './live';
import { Socket, type Link } from './socket';
import { play } from './sound';
import { readTelemetry, type Question, type Telemetry } from './telemetry';

export type Mode = 'live' | 'poll' | 'manual';
export const intervals = [5, 10, 30, 60] as const;

/** A line of the feed: a fault, with the rest of its record if it was read from the log. */
export type FeedLine = Fault & { record?: LogRecord };

const atMost = 5000; // milliseconds between two readings because of traffic
const idle = 30; // seconds between two readings without any
const beats = 48; // seconds that the heartbeat shows

export class Board {
  /** What was read last. */
  telemetry = $state.raw<Telemetry | null>(null);
  /** The same, with what the live connection told since. */
  now = $state.raw<Telemetry | null>(null);
  problem = $state('');
  reading = $state(false);
  faults = $state.raw<FeedLine[] | null>(null);
  faultProblem = $state('');
  /** Requests per second, the last seconds; null for a second that was not heard of. */
  beat = $state.raw<number[]>([]);
  link = $state<Link>('off');
  paused = $state(false);
  mode = $state<Mode>('live');
  seconds = $state<number>(10);
  sound = $state(false);

  private question: Question | null = null;
  private aborter: AbortController | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;
  private last = -Infinity;
  private failures = 0;
  private wasOpen = false;
  private readonly own = new OwnTraffic();
  private readonly alerts = new Alerts();
  private readonly socket = new Socket((link) => this.linked(link), (message) => this.heard(message));

  constructor() {
    this.mode = stored('mode', ['live', 'poll', 'manual'] as const, 'live');
    this.seconds = Number(stored('seconds', intervals.map(String), '10'));
  }

  /** Shows another range or filter. */
  ask(question: Question): void {
    this.question = question;
    this.failures = 0;
    this.faults = null;
    void this.refresh();
  }

  /** Lives until the function that comes back is called. */
  start(): () => void {
    const seen = () => (document.hidden ? this.pause() : this.resume());
    document.addEventListener('visibilitychange', seen);
    this.paused = document.hidden;
    if (!this.paused && this.mode === 'live') this.socket.open();
    return () => {
      document.removeEventListener('visibilitychange', seen);
      this.socket.close();
      this.stop();
    };
  }

  setMode(mode: Mode): void {
    this.mode = mode;
    store('mode', mode);
    if (mode === 'live') this.socket.open();
    else this.socket.close();
    if (mode === 'manual') this.stop(false);
    else void this.refresh();
  }

  setSeconds(seconds: number): void {
    this.seconds = seconds;
    store('seconds', String(seconds));
    this.schedule();
  }

  /** Reads everything anew. */
  async refresh(): Promise<void> {
    const question = this.question;
    if (!question) return;
    this.stop();
    const aborter = (this.aborter = new AbortController());
    this.reading = true;
    this.last = Date.now();
    const live = this.mode === 'live' && this.link === 'open';
    try {
      // Nothing is cut off: the log would hold it as a failed request, and this page would show it.
      const feed = live && this.faults !== null ? undefined : this.readFaults(question, aborter.signal);
      const next = await readTelemetry(question);
      if (aborter.signal.aborted) return;
      if (!live) this.compare(this.telemetry, next);
      this.telemetry = this.now = next;
      this.problem = '';
      this.failures = 0;
      await feed;
    } catch (error) {
      if (aborter.signal.aborted) return;
      this.problem = explain(error);
      this.failures++;
    }
    if (this.aborter !== aborter) return;
    this.reading = false;
    this.schedule();
  }

  private async readFaults(q: Question, signal: AbortSignal): Promise<void> {
    this.own.made();
    try {
      const read = (await list<LogRecord>(model, { domain: faultDomain(q), fields: lineFields, order: 'id desc', limit: 50, count: 'none' })).data;
      if (signal.aborted) return;
      this.faults = joinFaults(read.map(lineOf), this.faults ?? []);
      this.faultProblem = '';
    } catch (error) {
      if (signal.aborted) return;
      this.faultProblem = explain(error);
    }
  }

  private stop(abort = true): void {
    clearTimeout(this.timer);
    clearTimeout(this.soon);
    this.soon = undefined;
    if (abort) {
      this.aborter?.abort();
      this.reading = false;
    }
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.paused || this.mode === 'manual') return;
    const polling = this.mode === 'poll' || this.link !== 'open';
    const seconds = pollDelay(polling ? this.seconds : idle, this.failures);
    this.timer = setTimeout(() => void this.refresh(), seconds * 1000);
  }

  private pause(): void {
    this.paused = true;
    this.socket.close();
    this.stop();
  }

  private resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.mode === 'live') this.socket.open();
    if (this.mode !== 'manual') void this.refresh();
  }

  private linked(link: Link): void {
    this.link = link;
    if (link === 'open') this.own.forget();
    if (link === 'open' && this.wasOpen && this.question) {
      // What happened meanwhile was not heard.
      const { question } = this;
      void this.readFaults(question, new AbortController().signal);
    }
    if (link === 'open') this.wasOpen = true;
    if (link !== 'open') this.beat = [];
    if (!this.reading) this.schedule();
  }

  private heard(message: Message): void {
    if (message.type === 'tick') this.tick(message);
    else if (message.type === 'fault') this.fault(message.fault);
  }

  private tick(tick: Tick): void {
    this.beat = [...this.beat, tick.rps].slice(-beats);
    const foreign = this.own.foreign(tick.requests);
    if (this.now) this.now = mergeTick(this.now, tick);
    this.tell(this.alerts.rate(tick.error_rate, Date.now()));
    if (foreign > 0 && this.failures === 0 && this.soon === undefined && !this.reading) {
      this.soon = setTimeout(() => void this.refresh(), Math.max(0, this.last + atMost - Date.now()));
    }
  }

  private fault(fault: Fault): void {
    if (fault.status >= 500) this.tell(this.alerts.serverErrors(1, `${fault.method} ${fault.path} ${fault.status}`, Date.now()));
    if (this.question && fits(fault, this.question)) this.faults = mergeFault(this.faults ?? [], fault);
  }

  /** Between two polls only the figures tell what happened. */
  private compare(before: Telemetry | null, after: Telemetry): void {
    if (!before || before.range !== after.range || before.filters.caller !== after.filters.caller || before.filters.status !== after.filters.status) return;
    const grown = (key: 'total_requests' | 'client_errors' | 'server_errors') => Math.max(0, after.kpis[key] - before.kpis[key]);
    const total = grown('total_requests');
    const failed = grown('client_errors') + grown('server_errors');
    this.tell(this.alerts.serverErrors(grown('server_errors'), '', Date.now()));
    this.tell(this.alerts.rate(total > 0 ? (failed / total) * 100 : null, Date.now()));
  }

  private tell(alert: Alert | null): void {
    if (!alert) return;
    toast(alert.text, alert.kind === 'rate' ? 'warn' : 'bad');
    if (alert.sound && this.sound) play('error');
  }
}

/** What the feed reads: failed requests that the filters let through. */
export function faultDomain(q: Question): Domain {
  const domain: Domain = q.status === '' ? [['status', '>=', 400]] : statusDomain(q.status);
  if (q.caller) domain.push(['caller', '=', q.caller]);
  return domain;
}

function lineOf(r: LogRecord): FeedLine {
  return {
    request_id: r.request_id, at: r.create_date, method: r.method, path: r.path, status: r.status, latency_ms: r.latency_ms, ip: r.ip ?? '',
    login: r.login ?? '', caller: r.caller ?? '', error_type: r.error_type ?? '', error_message: r.error_message ?? '', record: r,
  };
}

function stored<T extends string>(name: string, values: readonly T[], otherwise: T): T {
  try {
    const value = localStorage.getItem(`gatehouse.dashboard.${name}`) as T;
    return values.includes(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

function store(name: string, value: string): void {
  try {
    localStorage.setItem(`gatehouse.dashboard.${name}`, value);
  } catch {
    // no storage: until the page is left
  }
}
