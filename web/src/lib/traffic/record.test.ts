import { describe, expect, it } from 'vitest';
import { curl, headersOf, pretty, quote, stepsOf, toneOf, type LogRecord } from './record';

const record = (values: Partial<LogRecord>): LogRecord =>
  ({ method: 'GET', path: '/api/v1/ping', query: null, credential: null, request_headers: null, request_body: null, ...values }) as LogRecord;

describe('a record of the log', () => {
  it('reads the steps in every shape', () => {
    const want = [{ name: 'identify', ms: 0.4 }, { name: 'route', ms: 2 }];
    expect(stepsOf({ identify: 0.4, route: 2 })).toEqual(want);
    expect(stepsOf('[{"name":"identify","ms":0.4},{"name":"route","ms":2}]')).toEqual(want);
    expect(stepsOf('[1,2]')).toEqual([{ name: '1', ms: 1 }, { name: '2', ms: 2 }]);
    expect(stepsOf('none')).toEqual([]);
    expect(stepsOf(null)).toEqual([]);
    expect(stepsOf({ a: 'x' })).toEqual([]);
  });
  it('reads headers of objects and of lines', () => {
    expect(headersOf('{"Accept":["a","b"],"X":"1"}')).toEqual([['Accept', 'a, b'], ['X', '1']]);
    expect(headersOf('Accept: a\r\nX: y:z\nnone')).toEqual([['Accept', 'a'], ['X', 'y:z']]);
    expect(headersOf(null)).toEqual([]);
  });
  it('indents JSON alone', () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect(pretty('{"a":')).toBe('{"a":');
    expect(pretty(null)).toBe('');
  });
  it('gives statuses their tone', () => {
    expect([200, 304, 404, 429, 500, 101].map(toneOf)).toEqual(['good', 'accent', 'warn', 'warn', 'bad', 'neutral']);
  });
});

describe('curl', () => {
  it('repeats a request', () => {
    expect(curl(record({ query: "domain=[['a','=',1]]", credential: 'api_key' }), 'http://h')).toBe(
      `curl -g 'http://h/api/v1/ping?domain=[['\\''a'\\'','\\''='\\'',1]]' \\\n  -H "X-API-Key: $KEY"`,
    );
    expect(curl(record({ method: 'POST', credential: 'jwt', request_body: '{"a":"it\'s"}' }), 'http://h')).toBe(
      `curl -X POST 'http://h/api/v1/ping' \\\n  -H "Authorization: Bearer $TOKEN" \\\n  -H 'Content-Type: application/json' \\\n  --data-raw '{"a":"it'\\''s"}'`,
    );
  });
  it('leaves secrets out, and what curl sets itself', () => {
    const text = curl(record({
      request_headers: JSON.stringify({
        Authorization: 'Bearer **********', 'X-Api-Key': 'k', Cookie: 'a=b', 'X-CSRF-Token': 't', Host: 'h', 'Sec-Fetch-Mode': 'cors',
        'X-Custom': '**********', 'Accept-Language': 'de', 'Idempotency-Key': 'one',
      }),
    }), 'http://h');
    expect(text).toBe(`curl 'http://h/api/v1/ping' \\\n  -H 'Accept-Language: de' \\\n  -H 'Idempotency-Key: one'`);
  });
  it('lets no method or text out of its quotes', () => {
    expect(curl(record({ method: 'X; rm -rf ~' }), 'http://h')).toContain("-X 'X; rm -rf ~'");
    expect(quote("a'b")).toBe(`'a'\\''b'`);
  });
});
