/** Problem is an answer that says no, or no answer at all: status 0 means that the server was not reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** Stable code of the refusal, or '' when there is none. */
    readonly code: string,
    detail: string,
    /** Leads to the server's log and audit entry; '' when the server was not reached. */
    readonly requestID = '',
    /** Which field or object it is about, as the server says it. */
    readonly where = '',
  ) {
    super(detail);
    this.name = 'Problem';
  }

  /** Whether the request may never have arrived. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

/** Reads application/problem+json; anything else becomes a Problem with the status alone. */
export function problemOf(response: Response, body: unknown): Problem {
  const field = (name: string): string => {
    const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const id = field('request') || (response.headers.get('X-Request-Id') ?? '');
  return new Problem(response.status, field('code'), field('detail') || field('title'), id, field('where'));
}
