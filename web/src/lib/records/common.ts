// What the forms of profiles, keys and clients have in common.
import type { Choice, FieldSpec, Filter, FormSpec } from './types';

const limit = (name: string, label: string): FieldSpec => ({ name, label, kind: 'number', min: 0, max: 1_000_000_000, unit: 'requests', placeholder: '0' });

export const limitFields: FieldSpec[] = [
  limit('limit_minute', 'Per minute'),
  limit('limit_hour', 'Per hour'),
  limit('limit_day', 'Per day'),
];

export const addressField: FieldSpec = {
  name: 'allowed_ips', label: 'Allowed addresses', kind: 'addresses', placeholder: '192.0.2.7\n10.0.0.0/8',
  help: 'Addresses or CIDR ranges, one a line. Nothing: from anywhere.',
};

export const userField: FieldSpec = { name: 'user_id', label: 'User', kind: 'user', required: true };

/** As whom a credential calls the Odoo that the server stands in front of; nothing where it does not. */
export const odooGroups = (inFront: boolean): FormSpec['groups'] => inFront ? [{
  title: 'Odoo',
  text: 'The user of the Odoo as whom it is called. Nothing: as the credential’s own user.',
  fields: [
    { name: 'odoo_login', label: 'Odoo login', kind: 'text', half: true, placeholder: 'shop@example.com' },
    { name: 'odoo_key', label: 'Odoo API key', kind: 'secret', half: true, help: 'Made by that user in the Odoo; kept sealed and never shown. Nothing: the one that is stored.' },
  ],
}] : [];

const day = 86_400;

export const expiries: Choice[] = [
  { value: '', label: 'Never' },
  { value: String(day), label: 'In 1 day' },
  { value: String(7 * day), label: 'In 7 days' },
  { value: String(30 * day), label: 'In 30 days' },
  { value: String(90 * day), label: 'In 90 days' },
  { value: String(365 * day), label: 'In a year' },
];

export const blockTimes: Choice[] = [
  { value: '3600', label: 'For an hour' },
  { value: String(day), label: 'For a day' },
  { value: String(7 * day), label: 'For 7 days' },
  { value: String(30 * day), label: 'For 30 days' },
  { value: '', label: 'Until it is ended by hand' },
];

/** Active ones, archived ones, or all. */
export const activeFilter = (initial: 'active' | 'all', off = 'Archived'): Filter => ({
  name: 'state', label: 'State', initial,
  options: [
    { value: 'active', label: 'Active', domain: () => [['active', '=', true]] },
    { value: 'archived', label: off, domain: () => [['active', '=', false]] },
    { value: 'all', label: 'All' },
  ],
});
