import { describe, expect, it } from 'vitest';
import { cell, csv } from './csv';

describe('csv', () => {
  it('quotes what would break a line', () => {
    expect(csv(['a', 'b'], [['x,y', 'say "hi"'], ['two\nlines', null]])).toBe('a,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n');
    expect(cell(' padded')).toBe('" padded"');
  });
  it('makes no formulas', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '＝1', '=HYPERLINK("http://x","y")']) {
      expect(cell(text).replace(/^"/, ''), text).toMatch(/^'/);
    }
    expect(cell('a=1')).toBe('a=1');
    expect(cell('/api/v1/x?a=-1')).toBe('/api/v1/x?a=-1');
  });
  it('keeps numbers', () => {
    expect(cell(-1.5)).toBe('-1.5');
    expect(cell(0)).toBe('0');
    expect(cell(undefined)).toBe('');
  });
});
