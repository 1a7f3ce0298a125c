// The sound of a server error: two short tones, made here, so that no file is
// loaded. Browsers let a page sound only after a click, hence switchOn.

let context: AudioContext | undefined;

/** To be called while a click is handled; false where the browser has no sound. */
export function switchOn(): boolean {
  try {
    context ??= new AudioContext();
    void context.resume();
    return true;
  } catch {
    return false;
  }
}

export function switchOff(): void {
  void context?.close();
  context = undefined;
}

/** Two falling tones for an error, one for a trial. */
export function play(kind: 'error' | 'trial'): void {
  if (!context) return;
  const tones = kind === 'error' ? [660, 440] : [550];
  tones.forEach((hertz, i) => tone(context as AudioContext, hertz, i * 0.16));
}

function tone(audio: AudioContext, hertz: number, after: number): void {
  const start = audio.currentTime + after;
  const voice = audio.createOscillator();
  const volume = audio.createGain();
  voice.type = 'sine';
  voice.frequency.value = hertz;
  volume.gain.setValueAtTime(0.0001, start);
  volume.gain.exponentialRampToValueAtTime(0.2, start + 0.02);
  volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.15);
  voice.connect(volume).connect(audio.destination);
  voice.start(start);
  voice.stop(start + 0.16);
}
