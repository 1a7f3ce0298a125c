// The live connection: opens it, opens it anew when it is lost, and gives what
// it says on.
import { parseMessage, reconnectDelay, type Message } from './live';

export type Link = 'off' | 'connecting' | 'open' | 'waiting';

const silence = 10_000; // the server says something every second; after this it is gone

export class Socket {
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;

  constructor(
    private readonly state: (link: Link) => void,
    private readonly heard: (message: Message) => void,
  ) {}

  open(): void {
    this.close();
    this.connect();
  }

  close(): void {
    clearTimeout(this.timer);
    this.drop();
    this.attempt = 0;
    this.state('off');
  }

  private drop(): void {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private connect(): void {
    this.state('connecting');
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/telemetry/live`);
    this.socket = socket;
    this.expect();
    socket.onmessage = (event) => {
      const message = parseMessage(event.data);
      if (!message) return;
      this.expect();
      if (this.attempt >= 0) {
        this.attempt = -1;
        this.state('open');
      }
      this.heard(message);
    };
    socket.onclose = () => this.lost();
  }

  private expect(): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => this.lost(), silence);
  }

  private lost(): void {
    this.drop();
    this.attempt = Math.max(this.attempt, 0);
    this.state('waiting');
    this.timer = setTimeout(() => this.connect(), reconnectDelay(this.attempt++, Math.random()));
  }
}
