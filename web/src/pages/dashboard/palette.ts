// The colours of the charts are those of the theme: a canvas cannot take them
// from the style sheet, so they are read from it.

export interface Palette {
  text: string;
  muted: string;
  line: string;
  surface: string;
  raised: string;
  accent: string;
  good: string;
  warn: string;
  bad: string;
  /** Rate-limited requests. */
  limited: string;
  /** Colours of parts that have no meaning of their own. */
  parts: string[];
  font: string;
}

/** Reads the colours of the present theme. */
export function readPalette(): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    text: colour('text'), muted: colour('muted'), line: colour('line'), surface: colour('surface'), raised: colour('raised'),
    accent: colour('accent'), good: colour('good'), warn: colour('warn'), bad: colour('bad'), limited: colour('limited'),
    parts: [1, 2, 3, 4, 5, 6].map((n) => colour(`part-${n}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return palette;
}

/** A colour rgb(…) of the palette, let through. */
export function fade(colour: string, alpha: number): string {
  const parts = /^rgba?\(\s*([\d.]+)[ ,]+([\d.]+)[ ,]+([\d.]+)/.exec(colour);
  return parts ? `rgba(${parts[1]},${parts[2]},${parts[3]},${alpha})` : colour;
}
