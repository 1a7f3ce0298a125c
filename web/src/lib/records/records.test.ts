import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api';
import { activeFilter, odooGroups } from './common';
import { headersOf, initialValues, isChanged, isNetwork, payload, problems, serverProblems } from './form';
import { matching } from './models';
import { lifetime, OneTime } from './onetime.svelte';
import { others, toggled, withOthers } from './scopes';
import { domainOf, isNarrowed, nextOrder, queryOf, readState, searchDomain } from './state';
import { addresses, curl, limits, plain } from './text';
import type { FormSpec, ListSpec } from './types';

const now = new Date(Date.UTC(2026, 0, 31, 12));
const list: ListSpec = {
  model: 'gateway.key', many: 'keys', icon: 'key', order: 'id desc', fields: [], search: ['name', 'prefix', 'user_id'], empty: '',
  columns: [{ name: 'name', label: 'Name' }, { name: 'limits', label: 'Limits', sort: 'limit_minute' }, { name: 'state', label: 'State', sort: false }],
  filters: [activeFilter('active')],
  narrowings: [{ name: 'client', label: 'Client', field: 'client_id' }],
};
const read = (text: string) => readState(list, new URLSearchParams(text));

describe('what a list shows', () => {
  it('is in the address, and what is as always is not', () => {
    expect(queryOf(list, read(''))).toEqual({ q: undefined, state: undefined, client: undefined });
    const query = { q: 'ab', state: 'all', client: '3', sort: '-limit_minute', page: '2', size: '50' };
    expect(queryOf(list, read(new URLSearchParams(query).toString()))).toEqual(query);
  });
  it('takes nothing that it does not know', () => {
    const state = read('state=gone&client=x&sort=state&page=-1&size=7');
    expect(state).toEqual({ search: '', filters: { state: 'active' }, narrow: {}, order: 'id desc', page: 1, size: 25 });
    expect(read('sort=limits').order).toBe('id desc');
    expect(read('page=1.5').page).toBe(1);
  });
  it('becomes a domain', () => {
    expect(domainOf(list, read('q=ab&client=3'), now)).toEqual([
      ['active', '=', true], ['client_id', '=', 3], '|', '|', ['name', 'ilike', 'ab'], ['prefix', 'ilike', 'ab'], ['user_id', 'ilike', 'ab'],
    ]);
    expect(domainOf(list, read('state=all'), now)).toEqual([]);
    expect(searchDomain(['name'], ' x ')).toEqual([['name', 'ilike', 'x']]);
    expect(searchDomain([], 'x')).toEqual([]);
  });
  it('sorts up, down and as before', () => {
    expect(nextOrder(list, 'id desc', 'name')).toBe('name asc');
    expect(nextOrder(list, 'name asc', 'name')).toBe('name desc');
    expect(nextOrder(list, 'name desc', 'name')).toBe('id desc');
    expect(nextOrder(list, 'id desc', 'id')).toBe('id asc');
  });
  it('knows whether something is looked for', () => {
    expect(isNarrowed(list, read('page=2'))).toBe(false);
    expect(isNarrowed(list, read('state=all'))).toBe(true);
    expect(isNarrowed(list, read('client=3'))).toBe(true);
  });
});

describe('as whom the Odoo is called', () => {
  it('is asked for in front of one alone', () => expect(odooGroups(false)).toEqual([]));
  it('sends a key only where one is typed', () => {
    const spec: FormSpec = { model: 'gateway.key', one: 'key', groups: odooGroups(true) };
    const before = initialValues(spec, { odoo_login: 'ben' });
    expect(payload(spec, { ...before }, before, false, now)).toEqual({});
    expect(payload(spec, { ...before, odoo_key: 'k' }, before, false, now)).toEqual({ odoo_key: 'k' });
    expect(payload(spec, { ...before, odoo_login: '' }, before, false, now)).toEqual({ odoo_login: null });
  });
});

const form: FormSpec = {
  model: 'gateway.key', one: 'key',
  groups: [{
    fields: [
      { name: 'name', label: 'Name', kind: 'text', required: true },
      { name: 'user_id', label: 'User', kind: 'user', required: true },
      { name: 'limit', label: 'Limit', kind: 'number', min: 0, max: 1000 },
      { name: 'ips', label: 'Addresses', kind: 'addresses' },
      { name: 'until', label: 'Until', kind: 'until', initial: '3600' },
      { name: 'headers', label: 'Headers', kind: 'headers' },
      { name: 'fields', label: 'Fields', kind: 'names' },
      { name: 'level', label: 'Level', kind: 'select' },
      { name: 'active', label: 'Active', kind: 'boolean', only: 'old' },
    ],
  }],
};

describe('a form', () => {
  it('sends of a new record what says something', () => {
    const values = initialValues(form, null);
    expect(values.until).toEqual({ choice: '3600', at: '' });
    expect(problems(form, values, true, now)).toEqual({ name: 'Name is needed', user_id: 'Choose a user' });
    Object.assign(values, { name: ' k ', user_id: { value: '2', label: 'A' }, ips: '10.0.0.0/8, ::1\n', headers: 'A: b:c', fields: 'a, b' });
    expect(payload(form, values, initialValues(form, null), true, now)).toEqual({
      name: 'k', user_id: 2, ips: '10.0.0.0/8\n::1', until: '2026-01-31T13:00:00Z', headers: { A: 'b:c' }, fields: ['a', 'b'],
    });
  });
  it('sends of another what is changed, and null for what was emptied', () => {
    const row = { name: 'k', user_id: { id: 2, name: 'A' }, limit: 5, ips: '::1', until: '2026-05-01T00:00:00Z', headers: { A: 'b' }, fields: ['a'], level: 'full', active: true };
    const before = initialValues(form, row);
    expect(before.until).toEqual({ choice: 'keep', at: '' });
    expect(isChanged(initialValues(form, row), before)).toBe(false);
    expect(payload(form, initialValues(form, row), before, false, now)).toEqual({});
    const values = { ...initialValues(form, row), ips: '', headers: '', fields: '', level: '', active: false, until: { choice: '', at: '' }, limit: '7' };
    expect(payload(form, values, before, false, now)).toEqual({ ips: null, headers: null, fields: null, level: null, active: false, until: null, limit: 7 });
    expect(initialValues(form, { ...row, until: null }).until).toEqual({ choice: '', at: '' });
  });
  it('says what is wrong before the server does', () => {
    const wrong = (change: object) => problems(form, { ...initialValues(form, null), name: 'k', user_id: { value: '1', label: '' }, ...change }, true, now);
    expect(wrong({ limit: '1.5' }).limit).toBe('Must be a whole number');
    expect(wrong({ limit: '1001' }).limit).toBe('Must be 1,000 or less');
    expect(wrong({ limit: '-1' }).limit).toBe('Must be 0 or more');
    expect(wrong({ ips: '10.0.0.0/8 1.2.3' }).ips).toContain('“1.2.3”');
    expect(wrong({ headers: 'nonsense' }).headers).toContain('Name: value');
    expect(wrong({ until: { choice: 'at', at: '2020-01-01T00:00' } }).until).toBe('Must be in the future');
    expect(wrong({ until: { choice: 'at', at: '' } }).until).toBe('Choose a day and a time');
  });
  it('places the errors of the server', () => {
    const error = (message: string, details: unknown) => new ApiError(400, 'bad_request', message, details);
    expect(serverProblems(form, error('No scope', { name: 'is too long' }), true)).toEqual({ name: 'Is too long' });
    expect(serverProblems(form, error('This user has one already', { user_id: 'must be unique' }), true)).toEqual({ user_id: 'This user has one already' });
    expect(serverProblems(form, error('Not today', { other: 'x' }), true)).toEqual({ '': 'Not today' });
    expect(serverProblems(form, new Error('gone'), true)).toEqual({ '': 'gone' });
  });
  it('knows addresses and headers', () => {
    for (const good of ['192.0.2.7', '10.0.0.0/8', '::1', '2001:db8::/32', '::ffff:1.2.3.4']) expect(isNetwork(good), good).toBe(true);
    for (const bad of ['1.2.3', '256.1.1.1', '10.0.0.0/33', 'a.b', '::1/129', '1::2::3', '1.2.3.4/8/8', '']) expect(isNetwork(bad), bad).toBe(false);
    expect(headersOf('A: b\n\nC:d')).toEqual({ headers: { A: 'b', C: 'd' }, problem: '' });
    expect(headersOf('').headers).toBeNull();
  });
});

describe('texts', () => {
  it('writes values', () => {
    expect(plain(1234567)).toBe('1,234,567');
    expect(plain(12.5)).toBe('12.5');
    expect(plain({ id: 1, name: 'Belgium' })).toBe('Belgium');
    expect(plain([1, 2])).toBe('#1, #2');
    expect(plain(null)).toBe('–');
    expect(plain(false)).toBe('No');
    expect(limits({ id: 1, limit_minute: 60, limit_hour: 0, limit_day: 12000 })).toBe('60 / min · 12,000 / d');
    expect(addresses('10.0.0.0/8\n::1\n')).toBe('10.0.0.0/8 + 1');
    expect(addresses(null)).toBe('Any');
  });
  it('quotes for a shell', () => {
    expect(curl('GET', "http://x/?a='b", ['X-API-Key: k'])).toBe(`curl -H 'X-API-Key: k' 'http://x/?a='\\''b'`);
  });
  it('ticks scopes', () => {
    expect(toggled('read', 'write', true)).toBe('read,write');
    expect(toggled('read,write', 'read', false)).toBe('write');
    expect(others('read, res.partner:read sale.*:write')).toBe('res.partner:read, sale.*:write');
    expect(withOthers('read,res.partner:read', 'sale.*:write read')).toBe('read,sale.*:write');
  });
  it('finds models', () => {
    const all = ['sale.order', 'res.partner', 'res.partner.category'].map((name) => ({ name, label: name === 'sale.order' ? 'Sales Order' : '' }));
    expect(matching(all, 'partner').map((m) => m.name)).toEqual(['res.partner', 'res.partner.category']);
    expect(matching(all, 'Sales').map((m) => m.name)).toEqual(['sale.order']);
    expect(matching(all, 'res.partner')[0]?.name).toBe('res.partner');
  });
});

describe('a secret that is shown once', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  it('is hidden for good after a day, even if the timer slept', () => {
    const holder = new OneTime();
    holder.show({ title: 't', parts: [{ label: 'l', value: 'v' }] });
    vi.advanceTimersByTime(lifetime - 1);
    expect(holder.current).not.toBeNull();
    vi.advanceTimersByTime(1);
    expect(holder.current).toBeNull();
    expect(holder.expired).toBe(true);
    holder.show({ title: 't', parts: [] });
    vi.setSystemTime(Date.now() + lifetime);
    holder.check();
    expect(holder.current).toBeNull();
    holder.clear();
    expect(holder.expired).toBe(false);
  });
});
