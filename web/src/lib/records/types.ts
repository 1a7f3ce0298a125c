// What a page declares of its list and its form.
import type { Domain } from '../api';
import type { IconName } from '../ui/icons';

export interface Row {
  id: number;
  [field: string]: unknown;
}

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent';

export interface Mark {
  text: string;
  tone: Tone;
}

export interface Column {
  name: string;
  label: string;
  /** What the API sorts by; the name where nothing is said, false for nothing. */
  sort?: string | false;
  /** The text; where nothing is said, plain() of the value. */
  show?: (row: Row) => string;
  /** A smaller line below. */
  note?: (row: Row) => string;
  /** Shown as a badge instead of a text. */
  mark?: (row: Row) => Mark;
  href?: (row: Row) => string | null;
  mono?: boolean;
  right?: boolean;
  /** Takes no more than its share and is cut; the whole text is in its title. */
  cut?: boolean;
}

export interface Choice {
  value: string;
  label: string;
}

export interface Filter {
  name: string;
  label: string;
  /** The value that is meant when the address says nothing; the first option's where nothing is said. */
  initial?: string;
  options: (Choice & { domain?: (now: Date) => Domain })[];
}

/** A condition that links bring in the address, such as client=3. */
export interface Narrowing {
  name: string;
  label: string;
  field: string;
  text?: boolean;
}

export interface ListSpec {
  model: string;
  fields: string[];
  columns: Column[];
  /** The fields that the search looks into. */
  search: string[];
  hint?: string;
  filters?: Filter[];
  narrowings?: Narrowing[];
  order: string;
  /** Archived records too: filters say which. */
  archived?: boolean;
  /** What the records are called: "API keys". */
  many: string;
  icon: IconName;
  /** What to do when there is none. */
  empty: string;
  /** Always meant, whatever is filtered. */
  always?: (now: Date) => Domain;
}

export type FieldKind =
  | 'text' | 'secret' | 'textarea' | 'number' | 'boolean' | 'select' | 'user' | 'model' | 'scopes' | 'addresses' | 'until' | 'headers' | 'names' | 'domain';

export interface FieldSpec {
  name: string;
  label: string;
  kind: FieldKind;
  help?: string;
  required?: boolean;
  unit?: string;
  min?: number;
  max?: number;
  placeholder?: string;
  options?: Choice[];
  /** Times from now that kind "until" offers; "" is never. */
  spans?: Choice[];
  /** What a new record begins with, as the API gives it. */
  initial?: unknown;
  /** Takes half of the width on wide screens. */
  half?: boolean;
  /** Only for new records, or only for those that exist. */
  only?: 'new' | 'old';
}

export interface FormSpec {
  model: string;
  one: string;
  groups: { title?: string; text?: string; fields: FieldSpec[] }[];
}

/** What a form holds while people write in it. */
export type Values = Record<string, unknown>;
